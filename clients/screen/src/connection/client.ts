// The GraphQL client: urql over the platform's gateway, every operation by its
// ID, subscriptions over SSE. Start reading at createConnection.
import { Client, fetchExchange, makeOperation, mapExchange, subscriptionExchange, type Exchange, type SubscriptionForwarder } from '@urql/core';
import { createClient, NetworkError } from 'graphql-sse';
import { RefreshSessionDocument, type RefreshSessionMutation } from '../gql/operations';
import { Live, type Open } from './live';
import { Monitor } from './monitor';
import { operationName, persistedQuery, requestBody } from './persisted';
import { Session, SessionOver, type Tokens } from './session';

const endpoint = '/graphql';
const streamEndpoint = '/graphql/stream';
const clientHeader = { 'X-Client-Id': 'screen' };
const timeout = 20_000;
const reloadEvery = 300_000;

type FetchBody = Parameters<SubscriptionForwarder>[0];

interface GraphQLFailure {
  message: string;
  extensions?: { code?: string };
}

interface Result {
  data?: unknown;
  errors?: readonly GraphQLFailure[];
}

export interface Connection {
  client: Client;
  session: Session;
  monitor: Monitor;
}

export function createConnection(): Connection {
  const session = new Session(renew, sessionStorage);
  const monitor = new Monitor();
  const send = authorized(session);
  const client = new Client({
    url: endpoint,
    fetch: (input, init) => send(input, { ...init, signal: within(init?.signal) }),
    preferGetMethod: false,
    exchanges: [
      byId,
      mapExchange({
        onError(error) {
          if (error.graphQLErrors.some(({ extensions }) => extensions.code === 'UNAUTHENTICATED')) session.end('登录已失效，请重新登录');
        },
      }),
      fetchExchange,
      subscriptionExchange({ forwardSubscription: (request) => ({ subscribe: (sink) => follow(request, sink, send, session, monitor) }) }),
    ],
  });
  return { client, session, monitor };
}

/** Puts the operation's ID where the server looks for it; urql then leaves the
 * text out. */
const byId: Exchange = mapExchange({
  onOperation(operation) {
    if (operation.kind === 'teardown') return operation;
    return makeOperation(
      operation.kind,
      { ...operation, extensions: { ...operation.extensions, persistedQuery: persistedQuery(operationName(operation.query)) } },
      operation.context,
    );
  },
});

/** fetch with the worker's token. A refused token is renewed once. */
function authorized(session: Session): typeof fetch {
  return async (input, init) => {
    const once = async () => {
      const headers = new Headers(init?.headers);
      const token = await session.token();
      if (token) headers.set('Authorization', `Bearer ${token}`);
      headers.set('X-Client-Id', clientHeader['X-Client-Id']);
      return fetch(input, { ...init, headers });
    };
    const response = await once();
    if (response.status !== 401 || !session.signedIn) return response;
    await session.renew();
    return once();
  };
}

async function renew(refreshToken: string): Promise<Tokens> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { ...clientHeader, 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json' },
    body: requestBody(RefreshSessionDocument, { input: { refreshToken } }),
    signal: within(null),
  });
  if (response.status >= 500 || response.status === 429) throw new Error(`renewing the session: status ${response.status}`);
  const { data, errors } = (await response.json()) as { data?: RefreshSessionMutation | null; errors?: GraphQLFailure[] };
  if (data?.refreshSession) return data.refreshSession;
  const code = errors?.[0]?.extensions?.code ?? '';
  if (code === 'TEMPORARILY_UNAVAILABLE' || code === 'RATE_LIMITED' || code === 'INTERNAL') throw new Error(`renewing the session: ${code}`);
  throw new SessionOver();
}

/** The signal, with a time limit where the browser can join the two. */
function within(signal: AbortSignal | null | undefined): AbortSignal {
  if (!signal) return AbortSignal.timeout(timeout);
  return 'any' in AbortSignal ? AbortSignal.any([signal, AbortSignal.timeout(timeout)]) : signal;
}

/** Runs a subscription until it is unsubscribed, over as many connections as it takes. */
function follow(
  request: FetchBody,
  sink: { next(result: never): void },
  send: typeof fetch,
  session: Session,
  monitor: Monitor,
): { unsubscribe(): void } {
  const live = new Live<Result>(overSSE(request, send, session), {
    next: (result) => sink.next(result as never),
    state: monitor.set,
  });
  const wake = () => live.wake();
  const seen = () => document.visibilityState === 'visible' && live.wake();
  const offline = () => live.offline();
  addEventListener('online', wake);
  addEventListener('offline', offline);
  document.addEventListener('visibilitychange', seen);
  live.start();
  return {
    unsubscribe() {
      removeEventListener('online', wake);
      removeEventListener('offline', offline);
      document.removeEventListener('visibilitychange', seen);
      live.stop();
    },
  };
}

/** One connection of a subscription. */
function overSSE(request: FetchBody, send: typeof fetch, session: Session): Open<Result> {
  return (sink) => {
    const client = createClient({
      url: streamEndpoint,
      retryAttempts: 0,
      fetchFn: async (input: RequestInfo, init: RequestInit) => listening(await send(input, init), sink.heard),
    });
    const failed = (failures: readonly GraphQLFailure[]) => {
      const [{ message, extensions } = { message: '' }] = failures;
      switch (extensions?.code) {
        case 'FORBIDDEN':
        case 'NOT_FOUND':
        case 'INVALID_INPUT':
          return sink.refused(message);
        case 'UNAUTHENTICATED':
          // a session that is over ends at the renewal; else go on with new tokens
          return void session.renew().then(sink.ended, sink.ended);
        case 'PERSISTED_QUERY_NOT_FOUND':
        case 'PERSISTED_QUERY_NOT_SUPPORTED':
          // the server was replaced by one that knows other operations
          if (newPage()) return;
          return sink.ended();
        default:
          return sink.ended();
      }
    };
    const stop = client.subscribe<Record<string, unknown>>(request as never, {
      next: (result) => (result.errors?.length && !result.data ? failed(result.errors as readonly GraphQLFailure[]) : sink.next(result as Result)),
      error: (error) => void failures(error).then(failed),
      complete: () => sink.ended(),
    });
    return () => {
      stop();
      client.dispose();
    };
  };
}

/** Loads the page of the present server, unless that was tried a moment ago.
 * Nobody stands by a big screen who would do it. */
function newPage(): boolean {
  const key = 'citizencloud.screen.reloaded';
  if (Date.now() - Number(sessionStorage.getItem(key) ?? 0) < reloadEvery) return false;
  sessionStorage.setItem(key, String(Date.now()));
  location.reload();
  return true;
}

/** The GraphQL errors in a refused connection's body, if there are any. */
async function failures(error: unknown): Promise<readonly GraphQLFailure[]> {
  if (Array.isArray(error)) return error as GraphQLFailure[];
  if (error instanceof NetworkError && error.response instanceof Response && !error.response.bodyUsed) {
    try {
      return ((await error.response.json()) as Result).errors ?? [];
    } catch {
      // not JSON: a proxy's page
    }
  }
  return [];
}

/** The same response, reporting each piece of its body. Comments of the stream
 * (the heartbeats) never reach the SSE client's user otherwise. */
function listening(response: Response, heard: () => void): Response {
  if (!response.body || !response.ok) return response;
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        heard();
        controller.enqueue(piece);
      },
    }),
  );
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
}
