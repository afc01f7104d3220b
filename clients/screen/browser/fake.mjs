// A server with canned data that answers this client's operations, for work on
// the page without the platform. `node browser/fake.mjs` serves the last build
// on port 8090 (sign in as anybody) and commits a case every few seconds.
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Story, areas } from './story.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const media = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.woff': 'font/woff' };
// stricter than the platform's own, so that a page which needs more is noticed
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'";

/** Starts the server on the port (0: any free one). */
export async function startFake(port = 0) {
  const { operations } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const names = new Map(operations.map(({ id, name }) => [id, name]));
  const story = new Story();
  const streams = new Set();

  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://fake').pathname;
    if (request.method === 'POST' && path.startsWith('/graphql')) return answer(request, response, path);
    serve(path, response);
  });

  async function answer(request, response, path) {
    let text = '';
    for await (const piece of request) text += piece;
    const { variables, extensions, query } = JSON.parse(text);
    const name = names.get(extensions?.persistedQuery?.sha256Hash);
    const signedIn = request.headers.authorization?.startsWith('Bearer ');
    const json = (status, value) => response.writeHead(status, { 'Content-Type': 'application/graphql-response+json' }).end(JSON.stringify(value));
    const refuse = (status, code, message) => json(status, { errors: [{ message, extensions: { code } }] });
    if (request.headers['x-client-id'] !== 'screen' || query || !name) return refuse(400, 'PERSISTED_QUERY_NOT_FOUND', '没有登记的操作');
    if (name === 'SignIn' || name === 'RefreshSession') {
      if (variables.input.password === 'wrong') return json(200, { data: null, errors: [{ message: '登录名或密码不正确', path: ['signInWorker'], extensions: { code: 'UNAUTHENTICATED' } }] });
      return json(200, { data: { [name === 'SignIn' ? 'signInWorker' : 'refreshSession']: { accessToken: 'canned', refreshToken: 'canned' } } });
    }
    if (!signedIn) return refuse(401, 'UNAUTHENTICATED', '请先登录');
    switch (name) {
      case 'Scope':
        return json(200, { data: { currentWorker: { id: '1', name: '陈晓燕', post: '区级领导', area: areas['510104000000'] } } });
      case 'AreaChoice':
        return json(200, { data: { area: story.choice(variables.id) } });
      case 'SignOut':
        return json(200, { data: { signOut: { endedSessions: 1 } } });
    }
    if (path !== '/graphql/stream') return refuse(400, 'BAD_REQUEST', '订阅须经由 /graphql/stream');
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    if (!variables.areaId.startsWith('510104')) {
      const refused = { data: null, errors: [{ message: '不在您的管辖范围内', path: ['boardChanged'], extensions: { code: 'FORBIDDEN' } }] };
      return response.end(`event: next\ndata: ${JSON.stringify(refused)}\n\nevent: complete\ndata:\n\n`);
    }
    const send = () => response.write(`event: next\ndata: ${JSON.stringify({ data: { boardChanged: story.board(variables.areaId) } })}\n\n`);
    response.write(':\n\n');
    send();
    const beat = setInterval(() => response.write(':\n\n'), 10_000);
    streams.add(send);
    response.on('close', () => {
      clearInterval(beat);
      streams.delete(send);
    });
  }

  function serve(path, response) {
    const file = normalize(path.replace(/^\/screen\/?/, '') || 'index.html');
    const full = join(folder, 'dist', file);
    if (!path.startsWith('/screen') || file.startsWith('..') || !existsSync(full)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': media[extname(full)] ?? 'application/octet-stream', 'Content-Security-Policy': policy });
    createReadStream(full).pipe(response);
  }

  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    commit(title) {
      story.commit(title);
      for (const send of streams) send();
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fake = await startFake(8090);
  setInterval(() => fake.commit(), 4000);
  console.log(`${fake.url}/screen/?area=510104000000`);
}
