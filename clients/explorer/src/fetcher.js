import { createClient as createSSEClient } from 'graphql-sse';
import { createClient as createWSClient } from 'graphql-ws';
import { getOperationAST, parse } from 'graphql';

/** clients are the values of X-Client-Id that may send free queries in development mode. */
export const clients = [
  { value: 'workbench', label: 'PC 工作台 workbench' },
  { value: 'app', label: '市民 APP app' },
  { value: 'miniprogram', label: '小程序 miniprogram' },
  { value: 'screen', label: '大屏 screen' },
];

/** transports are the ways a subscription can travel. */
export const transports = [
  { value: 'ws', label: 'WebSocket' },
  { value: 'sse', label: 'SSE' },
];

/**
 * createFetcher gives GraphiQL its fetcher: queries and mutations by POST
 * /graphql, subscriptions by /graphql/ws or /graphql/stream. Headers of the
 * editor go along; in a WebSocket they are part of connection_init.
 */
export function createFetcher({ client, transport }) {
  return (request, options = {}) => {
    const headers = { 'X-Client-Id': client, ...options.headers };
    if (!isSubscription(request)) {
      return post(request, headers);
    }
    return transport === 'sse' ? overSSE(request, headers) : overWebSocket(request, headers);
  };
}

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    return false; // the server says what is wrong with it
  }
}

async function post(request, headers) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      ...headers,
    },
    body: JSON.stringify(request),
  });
  return response.json();
}

function overSSE(request, headers) {
  const client = createSSEClient({ url: '/graphql/stream', headers, retryAttempts: 0 });
  return client.iterate(request);
}

function overWebSocket(request, headers) {
  const url = new URL('/graphql/ws', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const { 'X-Client-Id': clientId, ...rest } = headers;
  const client = createWSClient({
    url: url.href,
    connectionParams: { clientId, ...rest },
    retryAttempts: 0,
  });
  const results = client.iterate(request);
  return {
    [Symbol.asyncIterator]: () => results,
    next: () => results.next(),
    throw: (error) => results.throw(error),
    return: async (value) => {
      const done = await results.return(value);
      await client.dispose();
      return done;
    },
  };
}
