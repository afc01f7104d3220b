import { StrictMode, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import './explorer.css';
import { clients, createFetcher, transports } from './fetcher.js';

const welcome = `# 天府市民云 GraphQL 浏览器(仅开发模式)
#
# 左上角选择以哪个客户端的身份发送(X-Client-Id),以及订阅走 WebSocket 还是 SSE。
# 需要登录的操作:在下方 Headers 里写 {"Authorization": "Bearer …"}。

{
  __typename
}
`;

/** Choice is a labelled select whose value is kept over reloads. */
function Choice({ label, name, values, value, onChange }) {
  return (
    <label>
      {label}
      <select name={name} value={value} onChange={(event) => onChange(event.target.value)}>
        {values.map((each) => (
          <option key={each.value} value={each.value}>
            {each.label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** useKept is useState that survives a reload. */
function useKept(key, initial) {
  const [value, setValue] = useState(() => localStorage.getItem(key) ?? initial);
  return [
    value,
    (next) => {
      localStorage.setItem(key, next);
      setValue(next);
    },
  ];
}

function Explorer() {
  const [client, setClient] = useKept('explorer:client', 'workbench');
  const [transport, setTransport] = useKept('explorer:transport', 'ws');
  const fetcher = useMemo(() => createFetcher({ client, transport }), [client, transport]);
  return (
    <>
      <header className="explorer-bar">
        <strong>天府市民云 · GraphQL 浏览器</strong>
        <Choice label="客户端" name="client" values={clients} value={client} onChange={setClient} />
        <Choice label="订阅" name="transport" values={transports} value={transport} onChange={setTransport} />
      </header>
      <main className="explorer-main">
        <GraphiQL fetcher={fetcher} defaultQuery={welcome} shouldPersistHeaders />
      </main>
    </>
  );
}

createRoot(document.getElementById('explorer')).render(
  <StrictMode>
    <Explorer />
  </StrictMode>,
);
