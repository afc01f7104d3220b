// What the tests of real clients share: the gateway's two modes, and the
// operations that the client "app" has registered (manifest.json).
import { readFileSync } from 'node:fs';
import { parse } from 'graphql';

export const clientHeader = { 'X-Client-Id': 'app' };
export const development = process.env.URL; // text runs, hashes are learned
export const production = process.env.PRODUCTION_URL; // registered operations only

export const http = (base) => `${base}/graphql`;
export const stream = (base) => `${base}/graphql/stream`;
export const websocket = (base) => `${base.replace('http', 'ws')}/graphql/ws`;

export const manifest = JSON.parse(readFileSync(new URL('manifest.json', import.meta.url), 'utf8'));

// Registered operations as documents, by name.
export const documents = Object.fromEntries(manifest.operations.map(({ name, body }) => [name, parse(body)]));

// A fetch that notes what went over the wire: the client's word is not enough.
export function recordingFetch() {
  const sent = [];
  const recording = (url, init) => {
    const parameters = new URL(url).searchParams;
    const body = init.body ? JSON.parse(init.body) : Object.fromEntries(parameters);
    sent.push({ method: init.method ?? 'GET', text: Boolean(body.query), hash: /"sha256Hash"/.test(JSON.stringify(body.extensions ?? '').replaceAll('\\', '')) });
    return fetch(url, init);
  };
  return { sent, fetch: recording };
}
