// Apollo Client against a running gateway, started by
// server/transport/clients_test.go.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';
import { OperationTypeNode } from 'graphql';
import { createClient as createWSClient } from 'graphql-ws';
import WebSocket from 'ws';
import { clientHeader, development, documents, http, manifest, production, recordingFetch, websocket } from './gateway.mjs';

globalThis.WebSocket ??= WebSocket; // its link looks at WebSocket.CLOSED, which Node has from 22 on

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const fromManifest = () => generatePersistedQueryIdsFromManifest({ loadManifest: () => manifest });

// client gives an Apollo client and what it sent over HTTP; links come before
// HTTP.
function client(base, links = [], options = {}) {
  const { sent, fetch } = recordingFetch();
  const last = new HttpLink({ uri: http(base), fetch, headers: clientHeader, ...options });
  const apollo = new ApolloClient({
    link: ApolloLink.from([...links, last]), cache: new InMemoryCache(),
    defaultOptions: { query: { fetchPolicy: 'no-cache' }, mutate: { fetchPolicy: 'no-cache' } },
  });
  return { apollo, sent };
}

// code runs what must fail, and gives the first error's code.
async function code(running) {
  const { error } = await running.then((result) => result, (thrown) => ({ error: thrown }));
  assert.ok(CombinedGraphQLErrors.is(error), `no GraphQL errors: ${error}`);
  return error.errors[0].extensions.code;
}

test('Apollo: a query by POST and by GET', async () => {
  for (const [useGETForQueries, method] of [[false, 'POST'], [true, 'GET']]) {
    const { apollo, sent } = client(development, [], { useGETForQueries });
    const { data, error } = await apollo.query({ query: gql`query Book { book { id } }` });
    assert.equal(error, undefined);
    assert.deepEqual(data, { book: { id: '1', __typename: 'Book' } });
    assert.deepEqual(sent, [{ method, text: true, hash: false }]);
  }
});

test('Apollo: a mutation goes by POST, whatever queries do', async () => {
  const { apollo, sent } = client(development, [], { useGETForQueries: true });
  const { data } = await apollo.mutate({ mutation: gql`mutation { from }` });
  assert.equal(typeof data.from, 'string');
  assert.equal(sent[0].method, 'POST');
});

test('Apollo: errors come with their codes', async () => {
  const { apollo } = client(development);
  const { data, error } = await apollo.query({ query: gql`{ fails }`, errorPolicy: 'all' });
  assert.equal(data.fails, null);
  assert.equal(error.errors[0].extensions.code, 'NOT_FOUND');
  assert.deepEqual(error.errors[0].path, ['fails']);
  assert.equal(await code(apollo.query({ query: gql`{ nothing }` })), 'GRAPHQL_VALIDATION_FAILED');
  assert.equal(await code(apollo.query({ query: gql`query($a: Boolean!) { who @skip(if: $a) }`, variables: { a: 'no' } })), 'BAD_USER_INPUT');
  const stranger = client(development, [], { headers: { 'X-Client-Id': 'stranger' } }).apollo;
  assert.equal(await code(stranger.query({ query: gql`{ who }` })), 'CLIENT_UNKNOWN');
});

test('Apollo: automatic persisted queries are learned, then asked for by hash', async () => {
  const learned = gql(`query LearnedByApollo${process.pid} { who }`); // no other run has sent it
  const automatic = () => client(development, [new PersistedQueryLink({ sha256, useGETForHashedQueries: true })]);
  const first = automatic();
  assert.equal((await first.apollo.query({ query: learned })).error, undefined);
  assert.deepEqual(first.sent, [{ method: 'GET', text: false, hash: true }, { method: 'POST', text: true, hash: true }]);
  const second = automatic();
  assert.equal((await second.apollo.query({ query: learned })).error, undefined);
  assert.deepEqual(second.sent, [{ method: 'GET', text: false, hash: true }]);
});

for (const [name, ids] of [['IDs of the manifest', fromManifest], ['hashes', () => ({ sha256 })]]) {
  test(`Apollo: registered operations by ${name}, by POST and by GET`, async () => {
    for (const [useGETForHashedQueries, method] of [[false, 'POST'], [true, 'GET']]) {
      const { apollo, sent } = client(production, [new PersistedQueryLink({ ...ids(), useGETForHashedQueries })]);
      const { data } = await apollo.query({ query: documents.FirstBook });
      assert.deepEqual(data, { book: { id: '1', __typename: 'Book' } });
      assert.equal((await apollo.mutate({ mutation: documents.From })).error, undefined);
      assert.equal(await code(apollo.query({ query: documents.Fails })), 'NOT_FOUND');
      assert.deepEqual(sent.map((request) => request.method), [method, 'POST', method]);
      assert.ok(sent.every(({ text, hash }) => hash && !text));
    }
  });
}

test('Apollo: production runs nothing that is not registered', async () => {
  const query = gql`query Who { fails }`;
  assert.equal(await code(client(production).apollo.query({ query })), 'OPERATION_NOT_ALLOWED');
  const automatic = client(production, [new PersistedQueryLink({ sha256 })]);
  assert.equal(await code(automatic.apollo.query({ query })), 'OPERATION_NOT_ALLOWED');
});

// subscriber gives a client whose subscriptions go over a WebSocket.
function subscriber(t, base, links = []) {
  const ws = createWSClient({ url: websocket(base), webSocketImpl: WebSocket, connectionParams: { clientId: 'app' }, retryAttempts: 0 });
  t.after(() => ws.dispose());
  const { sent, fetch } = recordingFetch();
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(ws), new HttpLink({ uri: http(base), fetch, headers: clientHeader }),
  );
  return { apollo: new ApolloClient({ link: ApolloLink.from([...links, link]), cache: new InMemoryCache() }), sent };
}

// events collects a subscription's results until it ends, or that many.
function events(observable, count = Infinity) {
  return new Promise((resolve, reject) => {
    const results = [];
    const subscription = observable.subscribe({
      next(result) {
        results.push(result);
        if (results.length < count) return;
        resolve(results);
        queueMicrotask(() => subscription.unsubscribe());
      },
      error: reject,
      complete: () => resolve(results),
    });
  });
}

test('Apollo over graphql-ws: a subscription that ends, leaving one, a query beside', async (t) => {
  const { apollo, sent } = subscriber(t, development);
  const results = await events(apollo.subscribe({ query: gql`subscription Books($n: Int!) { books(count: $n) { id } }`, variables: { n: 3 } }));
  assert.deepEqual(results.map(({ data }) => data.books), ['1', '2', '3'].map((id) => ({ id, __typename: 'Book' })));
  assert.equal((await events(apollo.subscribe({ query: gql`subscription { ticks }` }), 1))[0].data.ticks, 1);
  assert.equal(sent.length, 0);
  assert.equal((await apollo.query({ query: documents.FirstBook })).data.book.id, '1');
  assert.equal(sent.length, 1);
});

test('Apollo over graphql-ws: a subscription that is not valid', async (t) => {
  const { apollo } = subscriber(t, development);
  const [{ error }] = await events(apollo.subscribe({ query: gql`subscription { nothing }` }), 1);
  assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
});

test('Apollo over graphql-ws: a registered subscription', async (t) => {
  // Its link sends the text as well: it must be the registered one.
  const { apollo } = subscriber(t, production, [new PersistedQueryLink(fromManifest())]);
  const results = await events(apollo.subscribe({ query: documents.Books, variables: { count: 2 } }));
  assert.deepEqual(results.map(({ data }) => data.books.id), ['1', '2']);
  const [{ error }] = await events(apollo.subscribe({ query: gql`subscription Books { ticks }` }), 1);
  assert.equal(error.errors[0].extensions.code, 'PERSISTED_QUERY_HASH_MISMATCH');
});
