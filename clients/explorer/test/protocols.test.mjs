// Real clients of the protocols against a running gateway (URL), which serves
// Query.who, Subscription.books(count) and Subscription.ticks. The Go test
// beside the server starts both: see server/transport/clients_test.go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { createClient as createSSEClient } from 'graphql-sse';
import { createClient as createWSClient } from 'graphql-ws';
import WebSocket from 'ws';

const base = process.env.URL;
const websocketURL = `${base.replace('http', 'ws')}/graphql/ws`;
const clientHeader = { 'X-Client-Id': 'app' };

// What we do otherwise than an audit would like, with the reason.
const exceptions = {
  // The specification's own rule after its watershed of 1 January 2025.
  '80D8': 'no Accept header means application/graphql-response+json',
};

for (const audit of serverAudits({ url: `${base}/graphql`, fetchFn: (url, init) => fetch(url, { ...init, headers: { ...clientHeader, ...init?.headers } }) })) {
  test(`GraphQL over HTTP: ${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    if (audit.id in exceptions) return;
    assert.ok(result.status === 'ok' || (result.status === 'notice' && audit.name.startsWith('MAY')), `${result.status}: ${result.reason}`);
  });
}

async function collect(iterator, most = Infinity) {
  const results = [];
  for await (const result of iterator) {
    results.push(result);
    if (results.length === most) break;
  }
  return results;
}

const sse = () => createSSEClient({ url: `${base}/graphql/stream`, headers: clientHeader, retryAttempts: 5, retry: async () => {} });
const ws = (options = {}) => createWSClient({ url: websocketURL, webSocketImpl: WebSocket, connectionParams: { clientId: 'app' }, retryAttempts: 5, retryWait: async () => {}, ...options });

for (const [name, create] of [['graphql-sse', sse], ['graphql-ws', ws]]) {
  test(`${name}: a subscription that ends`, async () => {
    const client = create();
    const results = await collect(client.iterate({ query: 'subscription Books($n: Int!) { books(count: $n) { id } }', variables: { n: 3 } }));
    assert.deepEqual(results, [1, 2, 3].map((id) => ({ data: { books: { id: `${id}` } } })));
    client.dispose();
  });

  test(`${name}: a query`, async () => {
    const client = create();
    assert.deepEqual(await collect(client.iterate({ query: '{ __typename }' })), [{ data: { __typename: 'Query' } }]);
    client.dispose();
  });

  test(`${name}: leaving a subscription`, async () => {
    const client = create();
    assert.equal((await collect(client.iterate({ query: 'subscription { ticks }' }), 1)).length, 1);
    client.dispose();
  });

  test(`${name}: connects again after the server drained`, async () => {
    const client = create();
    let ticks = 0;
    for await (const result of client.iterate({ query: 'subscription { ticks }' })) {
      if (result.errors) {
        assert.equal(result.errors[0].extensions.code, 'SERVER_DRAINING');
        continue;
      }
      ticks += 1;
      if (ticks === 2) break;
      assert.equal((await fetch(`${base}/restart`, { method: 'POST' })).status, 200);
    }
    assert.equal(ticks, 2);
    client.dispose();
  });
}

test('graphql-sse: an operation that is not valid', async () => {
  const client = sse();
  const results = await collect(client.iterate({ query: 'subscription { nothing }' }));
  assert.equal(results[0].errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  client.dispose();
});

test('graphql-ws: an operation that is not valid', async () => {
  const client = ws();
  await assert.rejects(collect(client.iterate({ query: 'subscription { nothing }' })), (errors) => errors[0].extensions.code === 'GRAPHQL_VALIDATION_FAILED');
  client.dispose();
});

test('graphql-ws: a client that is not known', async () => {
  const client = ws({ connectionParams: { clientId: 'stranger' }, retryAttempts: 0 });
  await assert.rejects(collect(client.iterate({ query: '{ __typename }' })), (event) => event.code === 4403 && event.reason.startsWith('CLIENT_UNKNOWN'));
  client.dispose();
});
