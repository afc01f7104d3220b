import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Live, type LiveState, type Sink } from './live';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

const times = { silence: 40_000, refresh: 300_000, refused: 60_000, grace: 3_000, settled: 10_000 };

/** A stream whose connections the test holds in its hand. */
function stream() {
  const connections: (Sink<string> & { closed: boolean })[] = [];
  const states: LiveState[] = [];
  const values: string[] = [];
  const live = new Live<string>(
    (sink) => {
      const connection = { ...sink, closed: false };
      connections.push(connection);
      return () => (connection.closed = true);
    },
    { next: (value) => values.push(value), state: (state) => states.push(state) },
    times,
    () => 1,
  );
  live.start();
  return { live, connections, states, values, kinds: () => states.map(({ kind }) => kind), last: () => connections.at(-1)! };
}

test('it is live with the first value, not with the connection', () => {
  const { last, kinds, values } = stream();
  last().heard();
  expect(kinds()).toEqual(['connecting']);
  last().next('a');
  expect([kinds(), values]).toEqual([['connecting', 'live'], ['a']]);
});

test('a lost connection is tried again with growing waits, and a value resets them', () => {
  const { connections, last, states, kinds } = stream();
  last().next('a');
  for (const wait of [500, 1000, 2000]) {
    last().ended();
    expect(states.at(-1)).toMatchObject({ kind: 'lost', since: expect.any(Number), retryAt: Date.now() + wait });
    const before = connections.length;
    vi.advanceTimersByTime(wait - 1);
    expect(connections.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(connections.length).toBe(before + 1);
  }
  last().next('b');
  expect(kinds().at(-1)).toBe('live');
  last().ended();
  expect(states.at(-1)).toMatchObject({ kind: 'lost', attempt: 1, retryAt: Date.now() + 500 });
});

test('the time of the loss stays that of the first failure', () => {
  const { last, states } = stream();
  last().next('a');
  last().ended();
  const since = Date.now();
  vi.advanceTimersByTime(500);
  last().ended();
  expect(states.at(-1)).toMatchObject({ kind: 'lost', since, attempt: 2 });
});

test('silence is a dead line, a heartbeat is a sign of life', () => {
  const { connections, last, kinds } = stream();
  last().next('a');
  vi.advanceTimersByTime(39_000);
  last().heard();
  vi.advanceTimersByTime(39_000);
  expect(kinds().at(-1)).toBe('live');
  vi.advanceTimersByTime(1_000);
  expect(kinds().at(-1)).toBe('lost');
  expect(connections[0]!.closed).toBe(true);
});

test('what a closed connection still says is not heard', () => {
  const { connections, values, kinds, live } = stream();
  connections[0]!.next('a');
  connections[0]!.ended();
  vi.advanceTimersByTime(500);
  connections[0]!.next('late');
  connections[0]!.ended();
  expect([values, kinds()]).toEqual([['a'], ['connecting', 'live', 'lost', 'connecting']]);
  live.stop();
});

test('numbers that change by the clock are asked for anew, and nobody is alarmed', () => {
  const { connections, last, kinds } = stream();
  last().next('a');
  for (let passed = 0; passed < times.refresh; passed += 20_000) {
    last().heard();
    vi.advanceTimersByTime(20_000);
  }
  expect([connections.length, connections[0]!.closed, kinds().at(-1)]).toEqual([2, true, 'live']);
  last().ended();
  expect(kinds().at(-1)).toBe('lost');
});

test('a stream that the server ends after a while moves over in silence', () => {
  const { connections, last, kinds, values } = stream();
  last().next('a');
  vi.advanceTimersByTime(10_000);
  last().ended();
  expect([connections.length, kinds()]).toEqual([2, ['connecting', 'live']]);
  last().next('b');
  vi.advanceTimersByTime(5_000);
  expect([kinds(), values]).toEqual([['connecting', 'live'], ['a', 'b']]);
});

test('if the next connection brings nothing in time, that is told', () => {
  const { last, states } = stream();
  last().next('a');
  vi.advanceTimersByTime(10_000);
  last().ended();
  const since = Date.now() + 3_000;
  vi.advanceTimersByTime(3_000);
  expect(states.at(-1)).toMatchObject({ kind: 'lost', since });
});

test('a server that takes and drops connections is not hammered', () => {
  const { connections, last, kinds } = stream();
  last().next('a');
  vi.advanceTimersByTime(10_000);
  last().ended();
  last().next('b');
  last().ended();
  expect([connections.length, kinds().at(-1)]).toEqual([2, 'lost']);
});

test('a refusal is shown and asked again only after a while', () => {
  const { connections, last, states } = stream();
  last().refused('不在管辖范围内');
  expect(states.at(-1)).toEqual({ kind: 'refused', message: '不在管辖范围内' });
  vi.advanceTimersByTime(59_999);
  expect(connections.length).toBe(1);
  vi.advanceTimersByTime(1);
  expect(connections.length).toBe(2);
});

test('the network goes and comes: lost at once, back at once', () => {
  const { live, connections, last, kinds } = stream();
  last().next('a');
  live.offline();
  expect(kinds().at(-1)).toBe('lost');
  live.wake();
  expect(connections.length).toBe(2);
  live.wake();
  expect(connections.length).toBe(2);
  vi.advanceTimersByTime(10_000);
  expect(connections.length).toBe(2);
});

test('once stopped it does nothing any more', () => {
  const { live, connections, last } = stream();
  last().ended();
  live.stop();
  vi.advanceTimersByTime(1_000_000);
  live.wake();
  expect(connections.length).toBe(1);
});
