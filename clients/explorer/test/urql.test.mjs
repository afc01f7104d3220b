// urql against a running gateway, started by server/transport/clients_test.go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient as createSSEClient } from 'graphql-sse';
import { createClient as createWSClient } from 'graphql-ws';
import WebSocket from 'ws';
import { clientHeader, development, documents, http, production, recordingFetch, stream, websocket } from './gateway.mjs';

// client gives an urql client and what it sent.
function client(base, exchanges = [], options = {}) {
  const { sent, fetch } = recordingFetch();
  const urql = new Client({
    url: http(base), fetch, fetchOptions: { headers: clientHeader }, preferGetMethod: false,
    exchanges: [cacheExchange, ...exchanges, fetchExchange], ...options,
  });
  return { urql, sent };
}

const code = (result) => result.error?.graphQLErrors[0]?.extensions.code;

test('urql: a query by POST and by GET', async () => {
  for (const [preferGetMethod, method] of [[false, 'POST'], ['force', 'GET']]) {
    const { urql, sent } = client(development, [], { preferGetMethod });
    const result = await urql.query('query Book { book { id } }', {});
    assert.equal(result.error, undefined);
    assert.deepEqual(result.data, { book: { id: '1', __typename: 'Book' } });
    assert.deepEqual(sent, [{ method, text: true, hash: false }]);
  }
});

test('urql: a mutation goes by POST, whatever queries do', async () => {
  const { urql, sent } = client(development, [], { preferGetMethod: 'force' });
  const result = await urql.mutation('mutation { from }', {});
  assert.equal(result.error, undefined);
  assert.equal(typeof result.data.from, 'string');
  assert.equal(sent[0].method, 'POST');
});

test('urql: errors come with their codes', async () => {
  const { urql } = client(development);
  const failed = await urql.query('{ fails }', {});
  assert.deepEqual(failed.error.graphQLErrors[0].path, ['fails']);
  assert.equal(failed.data.fails, null);
  assert.equal(code(failed), 'NOT_FOUND');
  assert.equal(code(await urql.query('{ nothing }', {})), 'GRAPHQL_VALIDATION_FAILED');
  assert.equal(code(await urql.query('query($a: Boolean!) { who @skip(if: $a) }', { a: 'no' })), 'BAD_USER_INPUT');
  const stranger = client(development, [], { fetchOptions: { headers: { 'X-Client-Id': 'stranger' } } }).urql;
  assert.equal(code(await stranger.query('{ who }', {})), 'CLIENT_UNKNOWN');
});

test('urql: automatic persisted queries are learned, then asked for by hash', async () => {
  const learned = `query Learned${process.pid} { who }`; // no other run has sent it
  const automatic = () => client(development, [persistedExchange({ preferGetForPersistedQueries: 'force' })]);
  const first = automatic();
  assert.equal((await first.urql.query(learned, {})).error, undefined);
  assert.deepEqual(first.sent.map(({ text, hash }) => ({ text, hash })), [{ text: false, hash: true }, { text: true, hash: true }]);
  const second = automatic();
  assert.equal((await second.urql.query(learned, {})).error, undefined);
  assert.deepEqual(second.sent, [{ method: 'GET', text: false, hash: true }]);
});

const registered = (options) => persistedExchange({ enforcePersistedQueries: true, enableForMutation: true, enableForSubscriptions: true, ...options });

test('urql: registered operations by POST and by GET', async () => {
  for (const [preferGetForPersistedQueries, method] of [[false, 'POST'], ['force', 'GET']]) {
    const { urql, sent } = client(production, [registered({ preferGetForPersistedQueries })]);
    const result = await urql.query(documents.FirstBook, {});
    assert.equal(result.error, undefined);
    assert.deepEqual(result.data, { book: { id: '1', __typename: 'Book' } });
    assert.equal((await urql.mutation(documents.From, {})).error, undefined);
    assert.equal(code(await urql.query(documents.Fails, {})), 'NOT_FOUND');
    assert.deepEqual(sent.map((request) => request.method), [method, 'POST', method]);
    assert.ok(sent.every(({ text, hash }) => hash && !text));
  }
});

test('urql: production runs nothing that is not registered', async () => {
  assert.equal(code(await client(production).urql.query('query Who { fails }', {})), 'OPERATION_NOT_ALLOWED');
  const enforced = client(production, [registered()]);
  assert.equal(code(await enforced.urql.query('query Who { fails }', {})), 'PERSISTED_QUERY_NOT_FOUND');
  const automatic = client(production, [persistedExchange()]);
  const refused = code(await automatic.urql.query('query Who { fails }', {}));
  assert.ok(['PERSISTED_QUERY_NOT_FOUND', 'OPERATION_NOT_ALLOWED'].includes(refused), refused);
});

// Each way to subscribe: its exchange, and what closes its connection.
const subscriptions = {
  'graphql-sse': (base) => {
    const sse = createSSEClient({ url: stream(base), headers: clientHeader, retryAttempts: 0 });
    return { close: () => sse.dispose(), exchange: subscriptionExchange({ forwardSubscription: (request) => ({ subscribe: (sink) => ({ unsubscribe: sse.subscribe(request, sink) }) }) }) };
  },
  'graphql-ws': (base) => {
    // Its client wants a text, be it empty, also where urql sends the hash alone.
    const ws = createWSClient({ url: websocket(base), webSocketImpl: WebSocket, connectionParams: { clientId: 'app' }, retryAttempts: 0 });
    return { close: () => ws.dispose(), exchange: subscriptionExchange({ forwardSubscription: (request) => ({ subscribe: (sink) => ({ unsubscribe: ws.subscribe({ ...request, query: request.query ?? '' }, sink) }) }) }) };
  },
};

// events collects that many results of a subscription, then leaves it.
function events(urql, document, variables, count) {
  return new Promise((resolve) => {
    const results = [];
    const { unsubscribe } = urql.subscription(document, variables).subscribe((result) => {
      results.push(result);
      if (results.length === count) {
        resolve(results);
        queueMicrotask(() => unsubscribe());
      }
    });
  });
}

for (const [name, connect] of Object.entries(subscriptions)) {
  test(`urql over ${name}: a subscription, and leaving one`, async (t) => {
    const { exchange, close } = connect(development);
    t.after(close);
    const { urql } = client(development, [exchange]);
    const results = await events(urql, 'subscription Books($n: Int!) { books(count: $n) { id } }', { n: 3 }, 3);
    assert.deepEqual(results.map((result) => result.data.books.id), ['1', '2', '3']);
    assert.equal((await events(urql, 'subscription { ticks }', {}, 1))[0].data.ticks, 1);
  });

  test(`urql over ${name}: a subscription that is not valid`, async (t) => {
    const { exchange, close } = connect(development);
    t.after(close);
    const [result] = await events(client(development, [exchange]).urql, 'subscription { nothing }', {}, 1);
    assert.equal(code(result), 'GRAPHQL_VALIDATION_FAILED');
  });

  test(`urql over ${name}: a registered subscription, by hash`, async (t) => {
    const { exchange, close } = connect(production);
    t.after(close);
    const results = await events(client(production, [registered(), exchange]).urql, documents.Books, { count: 2 }, 2);
    assert.deepEqual(results.map((result) => result.data?.books.id), ['1', '2']);
  });
}

test('urql: a subscription over its own fetch', async () => {
  const { urql } = client(development, [], { url: stream(development), fetchSubscriptions: true });
  const results = await events(urql, 'subscription Books($n: Int!) { books(count: $n) { id } }', { n: 2 }, 2);
  assert.deepEqual(results.map((result) => result.data?.books.id), ['1', '2']);
});
