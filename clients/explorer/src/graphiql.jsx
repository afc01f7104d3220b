import { useMemo } from 'react';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { Bar, Choice, useKept, useTheme } from './bar.jsx';
import { clients, createFetcher, transports } from './fetcher.js';

const welcome = `# 天府市民云 GraphQL 浏览器（仅开发模式）
#
# 左上角选择以哪个客户端的身份发送（X-Client-Id），以及订阅走 WebSocket 还是 SSE。
# 需要登录的操作：在下方 Headers 里写 {"Authorization": "Bearer …"}。
# 操作怎样拆给各子图、各用多少时间：见“查询计划”。

{
  __typename
}
`;

/** Explorer is GraphiQL, sending as the client that is chosen. */
export default function Explorer() {
  const [client, setClient] = useKept('explorer:client', 'workbench');
  const [transport, setTransport] = useKept('explorer:transport', 'ws');
  const [theme, setTheme] = useTheme();
  const fetcher = useMemo(() => createFetcher({ client, transport }), [client, transport]);
  return (
    <>
      <Bar page="/explorer/" theme={theme} onTheme={setTheme}>
        <Choice label="客户端" name="client" values={clients} value={client} onChange={setClient} />
        <Choice label="订阅" name="transport" values={transports} value={transport} onChange={setTransport} />
      </Bar>
      <main className="explorer-main">
        <GraphiQL fetcher={fetcher} defaultQuery={welcome} forcedTheme={theme} shouldPersistHeaders />
      </main>
    </>
  );
}
