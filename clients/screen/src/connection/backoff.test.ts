import { expect, test } from 'vitest';
import { backoff } from './backoff';

test('the wait doubles up to fifteen seconds', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 500].map((attempt) => backoff(attempt, () => 1));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test('chance takes away at most half', () => {
  expect(backoff(3, () => 0)).toBe(2000);
});
