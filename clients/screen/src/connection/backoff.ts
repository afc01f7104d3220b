// How long to wait before connecting again, in milliseconds.

const first = 500;
const longest = 15_000;

/** The wait before attempt number `attempt` (from 0): doubled each time up to
 * 15 s, and between half and all of that by chance, so that many screens do
 * not come back at the same moment after a restart of the server. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(longest, first * 2 ** Math.min(attempt, 20));
  return Math.round(whole * (0.5 + random() / 2));
}
