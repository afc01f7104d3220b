import { expect, test } from 'vitest';
import { lifetime, Session, SessionOver, type Renewal } from './session';

const jwt = (claims: object) => `x.${btoa(JSON.stringify(claims)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.x`;
const fifteenMinutes = (n: number) => jwt({ iat: 1000, exp: 1900, n });

function storage() {
  const kept = new Map<string, string>();
  return { kept, getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
}

function signedIn(renewal: Renewal, store = storage()) {
  const time = { now: 5_000_000 };
  const session = new Session(renewal, store, () => time.now);
  session.start({ accessToken: fifteenMinutes(1), refreshToken: 'r1' });
  return { session, time, store };
}

test('the lifetime is a span, so that a wrong clock does not matter', () => {
  expect(lifetime(fifteenMinutes(1))).toBe(900_000);
  expect(lifetime('no token')).toBe(60_000);
});

test('a valid token is given without asking', async () => {
  const { session } = signedIn(() => Promise.reject(new Error('asked')));
  expect(await session.token()).toBe(fifteenMinutes(1));
});

test('an old token is renewed once for all who ask, and the new pair is kept', async () => {
  const used: string[] = [];
  const { session, time, store } = signedIn(async (refreshToken) => {
    used.push(refreshToken);
    return { accessToken: fifteenMinutes(2), refreshToken: 'r2' };
  });
  time.now += 880_000;
  expect(await Promise.all([session.token(), session.token(), session.token()])).toEqual(Array(3).fill(fifteenMinutes(2)));
  expect(used).toEqual(['r1']);
  expect([...store.kept.values()][0]).toContain('"r2"');
});

test('a refused renewal ends the session and says so', async () => {
  const { session, time, store } = signedIn(() => Promise.reject(new SessionOver()));
  let told = 0;
  session.watch(() => told++);
  time.now += 1_000_000;
  expect(await session.token()).toBeNull();
  expect([session.signedIn, session.notice, told, store.kept.size]).toEqual([false, '登录已失效，请重新登录', 1, 0]);
});

test('a server out of reach does not end the session', async () => {
  const { session, time } = signedIn(() => Promise.reject(new Error('no route')));
  time.now += 1_000_000;
  await expect(session.token()).rejects.toThrow('no route');
  expect(session.signedIn).toBe(true);
});

test('who signs out during a renewal stays signed out', async () => {
  let finish = () => {};
  const { session, store } = signedIn(() => new Promise((resolve) => (finish = () => resolve({ accessToken: 'a', refreshToken: 'r' }))));
  const renewed = session.renew();
  session.end();
  finish();
  await renewed;
  expect([session.signedIn, store.kept.size]).toEqual([false, 0]);
});

test('a reload finds the session again, and nonsense is no session', () => {
  const { store } = signedIn(() => Promise.reject(new Error('asked')));
  expect(new Session(() => Promise.reject(), store).signedIn).toBe(true);
  store.kept.forEach((_, key) => store.kept.set(key, '{"accessToken":1'));
  expect(new Session(() => Promise.reject(), store).signedIn).toBe(false);
});
