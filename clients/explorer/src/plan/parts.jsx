import { parse, print } from 'graphql';
import { conditionText, costText, fields, placeOf, sizeText, ticks, timeText, waterfall } from './model.js';

/** Section is a part of the page with its head. */
export function Section({ title, note, children, className }) {
  return (
    <section className={className}>
      <h2>
        {title}
        {note && <small>{note}</small>}
      </h2>
      {children}
    </section>
  );
}

/** Summary says what calls the plan predicts, and after a run what it took. */
export function Summary({ plan, timings, colour }) {
  const { least, most, rounds, subgraphs } = plan.calls;
  return (
    <div className="plan-summary" aria-label="预计调用">
      <span>
        预计调用 <b>{least === most ? most : `${least}–${most}`}</b> 次，<b>{rounds}</b> 轮
      </span>
      {subgraphs.map((each) => (
        <span key={each.subgraph} className="chip">
          <i style={{ background: colour(each.subgraph) }} />
          {each.subgraph} ≤ {each.most}
        </span>
      ))}
      {timings && (
        <span className="took">
          实际 <b>{timings.fetches.length}</b> 次，共 <b>{timeText(timings.total)}</b>
          {timings.cached ? '，计划来自缓存' : '，计划是这次新做的'}
        </span>
      )}
    </div>
  );
}

/** Waterfall draws when each stage and each fetch ran. */
export function Waterfall({ plan, timings, colour, chosen, onChoose }) {
  const share = (ms) => `${(100 * ms) / timings.total}%`;
  return (
    <div className="plan-waterfall" role="table" aria-label="时间线">
      <div className="line axis" role="row">
        <span />
        <span className="track">{ticks(timings.total).map((tick) => <em key={tick} style={{ left: share(tick) }}>{tick}</em>)}</span>
        <span>用时</span>
        <span>大小</span>
        <span>实体</span>
      </div>
      {waterfall(plan, timings).map((bar) => (
        <div
          key={bar.label} role="row"
          className={`line${bar.subgraph ? ' of-fetch' : ''}${bar.subgraph && bar.id === chosen ? ' chosen' : ''}`}
          onClick={bar.subgraph ? () => onChoose(bar.id) : undefined}
        >
          <span className="label" title={bar.place}>{bar.label}</span>
          <span className="track">
            {ticks(timings.total).map((tick) => <s key={tick} style={{ left: share(tick) }} />)}
            <i
              className={bar.status && bar.status !== 'ok' ? 'bar bad' : 'bar'}
              style={{ left: share(bar.start), width: share(bar.duration), background: bar.subgraph && colour(bar.subgraph) }}
            />
          </span>
          <span className="number">{timeText(bar.duration)}</span>
          <span className="number">{bar.subgraph ? (bar.status === 'ok' ? sizeText(bar.bytes) : bar.status) : ''}</span>
          <span className="number">{bar.entities || ''}</span>
        </div>
      ))}
    </div>
  );
}

/** Choices lists what the planner weighed: the ways, their costs, the one it took. */
export function Choices({ choices, colour }) {
  if (choices.length === 0) return <p className="empty">每个字段都只有一种走法，没有可选的。</p>;
  return (
    <div className="plan-choices">
      {choices.map((choice) => {
        const dearest = Math.max(...choice.ways.filter((way) => !way.impossible).map((way) => way.cost), 1);
        return (
          <div key={`${choice.path} ${choice.field}`} className="choice">
            <h3>
              {choice.path} <small>{choice.field}</small>
            </h3>
            {choice.ways.map((way, index) => (
              // eslint-disable-next-line react/no-array-index-key
              <div key={index} className={way.taken ? 'way taken' : 'way'}>
                <span className="mark">{way.taken ? '✓ 选用' : '未选'}</span>
                <span className="who"><i style={{ background: colour(way.subgraph) }} />{way.subgraph}</span>
                <span className="how">{way.through?.length ? `按 {${way.key}} 经 ${way.through.join(' → ')}` : '就地回答'}</span>
                <span className="cost"><i style={{ width: way.impossible ? '100%' : `${(100 * way.cost) / dearest}%` }} className={way.impossible ? 'bad' : ''} /></span>
                <span className="number">{costText(way)}</span>
              </div>
            ))}
          </div>
        );
      })}
    </div>
  );
}

/** Fields is the answer's tree: which fetch brings each field. */
export function Fields({ plan, colour, chosen, onChoose }) {
  const byID = new Map(plan.fetches.map((fetch) => [fetch.id, fetch]));
  return (
    <ol className="plan-fields">
      {fields(plan).map((row) => (
        <li key={`${row.path} ${row.key} ${row.on.join()}`} className={chosen !== null && !row.fetches.includes(chosen) ? 'dim' : ''} style={{ paddingLeft: `${row.depth * 16}px` }}>
          <b>{row.key}</b> <small>{row.type}{row.on.length > 0 && ` 于 ${row.on.join('、')}`}{row.when && ` 当 ${row.when}`}</small>
          {row.fetches.map((id) => (
            <button key={id} type="button" className="chip" onClick={() => onChoose(id)}>
              <i style={{ background: colour(byID.get(id).subgraph) }} />#{id}
            </button>
          ))}
        </li>
      ))}
    </ol>
  );
}

/** Detail shows all of one fetch: what it completes, sends and asks. */
export function Detail({ fetch, colour }) {
  const used = [...new Set((fetch.parts ?? [fetch]).flatMap(({ variables }) => variables))];
  return (
    <div className="plan-detail" aria-label="取数详情">
      <h3><i style={{ background: colour(fetch.subgraph) }} />#{fetch.id} {fetch.subgraph}</h3>
      <dl>
        <dt>位置</dt><dd>{placeOf(fetch) || '根'}</dd>
        <dt>等待</dt><dd>{fetch.after.length > 0 ? fetch.after.map((id) => `#${id}`).join('、') : '不等待，立即发送'}</dd>
        {fetch.when && <><dt>条件</dt><dd>{conditionText(fetch.when)}</dd></>}
        {used.length > 0 && <><dt>变量</dt><dd>{used.map((name) => `$${name}`).join('、')}</dd></>}
        {fetch.places.flatMap((place) => place.representations).map((one, index) => (
          // eslint-disable-next-line react/no-array-index-key
          <div key={index}><dt>实体</dt><dd>{one.typename} {'{'}{one.fields.map(({ name, key }) => name + (key ? '（键）' : '')).join('、')}{'}'}</dd></div>
        ))}
      </dl>
      <pre>{print(parse(fetch.document))}</pre>
    </div>
  );
}
