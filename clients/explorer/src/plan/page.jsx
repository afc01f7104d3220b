import { useState } from 'react';
import { parse, print } from 'graphql';
import './plan.css';
import { Bar, Choice, useKept, useTheme } from '../bar.jsx';
import { clients } from '../fetcher.js';
import { ask } from './ask.js';
import { Graph } from './graph.jsx';
import { subgraphs } from './model.js';
import { Choices, Detail, Fields, Section, Summary, Waterfall } from './parts.jsx';

const welcome = `{
  popularServices(first: 3) {
    name
    category { name }
  }
}
`;

const palette = ['#2f7ed8', '#2e9e6b', '#c2762a', '#8a5fd0', '#c4517a', '#3a9aa8', '#8d8b2d', '#6d7686'];

/** Page is the plan viewer: the operation at the left, what becomes of it at the right. */
export default function Page() {
  const [theme, setTheme] = useTheme();
  const [client, setClient] = useKept('explorer:client', 'workbench');
  // The texts are GraphiQL's own, so that an operation is carried from page to page.
  const [query, setQuery] = useKept('graphiql:query', welcome);
  const [variables, setVariables] = useKept('graphiql:variables', '');
  const [headers, setHeaders] = useKept('graphiql:headers', '');
  const [shown, setShown] = useState(null);
  const [busy, setBusy] = useState(false);
  const [tidied, setTidied] = useState(0); // a new editor shows its text from the start
  const [chosen, setChosen] = useState(null);

  async function explain(run) {
    if (run && /^\s*mutation\b/m.test(query) && !window.confirm('这是 mutation，执行会改变数据。要执行吗？')) return;
    setBusy(true);
    setShown(await ask({ query, variables, headers, client, run }));
    setChosen(null);
    setBusy(false);
  }

  function tidy() {
    try {
      setQuery(`${print(parse(query))}\n`);
      setTidied(tidied + 1);
    } catch (error) {
      setShown({ errors: [error.message] });
    }
  }

  const order = shown?.plan ? subgraphs(shown.plan) : [];
  const colour = (subgraph) => palette[Math.max(0, order.indexOf(subgraph)) % palette.length];
  const common = { colour, chosen, onChoose: setChosen };
  return (
    <>
      <Bar page="/explorer/plan" theme={theme} onTheme={setTheme}>
        <Choice label="客户端" name="client" values={clients} value={client} onChange={setClient} />
      </Bar>
      <main className="plan-page">
        <form className="plan-operation" onSubmit={(event) => { event.preventDefault(); explain(false); }}>
          <label className="grow">
            操作
            <textarea
              key={tidied} name="query" spellCheck="false" value={query} onChange={(event) => setQuery(event.target.value)}
              onKeyDown={(event) => event.key === 'Enter' && event.ctrlKey && explain(event.shiftKey)}
            />
          </label>
          <label>
            变量（JSON）
            <textarea name="variables" rows="3" spellCheck="false" value={variables} onChange={(event) => setVariables(event.target.value)} />
          </label>
          <label>
            请求头（JSON），如 {'{"Authorization": "Bearer …"}'}
            <textarea name="headers" rows="2" spellCheck="false" value={headers} onChange={(event) => setHeaders(event.target.value)} />
          </label>
          <div className="buttons">
            <button type="button" name="tidy" className="small" title="整理操作的排版" onClick={tidy}>整理</button>
            <button type="submit" name="plan" disabled={busy} title="Ctrl+Enter">看计划</button>
            <button type="button" name="run" className="strong" disabled={busy} title="Ctrl+Shift+Enter" onClick={() => explain(true)}>执行并计时</button>
          </div>
        </form>
        <div className="plan-result" aria-busy={busy}>
          {!shown && <p className="empty">“看计划”只规划，不执行；“执行并计时”会真的执行，并画出每次取数的时间。</p>}
          {shown?.errors && (
            <div className="plan-errors" role="alert">
              {shown.errors.map((message) => <p key={message}>{message}</p>)}
            </div>
          )}
          {shown?.plan && (
            <>
              <Summary plan={shown.plan} timings={shown.timings} colour={colour} />
              <Section title="计划图" note="每列一轮，同列并行；点一个方框看它发送什么">
                <div className="scroll"><Graph plan={shown.plan} timings={shown.timings} {...common} /></div>
                {chosen !== null && <Detail fetch={shown.plan.fetches.find(({ id }) => id === chosen)} colour={colour} />}
              </Section>
              {shown.timings && (
                <Section title="时间线" note="毫秒，自请求到达起">
                  <Waterfall plan={shown.plan} timings={shown.timings} {...common} />
                </Section>
              )}
              <div className="pair">
                <Section title="字段来源" note="每个字段由哪次取数带来">
                  <Fields plan={shown.plan} {...common} />
                </Section>
                <Section title="选路" note="代价：每次取数 10,000；各走法单独计">
                  <Choices choices={shown.choices ?? []} colour={colour} />
                </Section>
              </div>
              {shown.answer && (
                <Section title="应答" note={shown.answer.errors ? `有 ${shown.answer.errors.length} 个错误` : null}>
                  <pre className="plan-answer">{JSON.stringify(shown.answer, null, 2)}</pre>
                </Section>
              )}
            </>
          )}
        </div>
      </main>
    </>
  );
}
