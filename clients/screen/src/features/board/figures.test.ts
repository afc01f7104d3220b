import { expect, test } from 'vitest';
import { clock, count, moment, percent, share, span, sparkline } from './figures';

test('numbers', () => {
  expect([count(0), count(1234567)]).toEqual(['0', '1,234,567']);
  expect([percent(null), percent(0), percent(93.44), percent(99.96), percent(100)]).toEqual(['—', '0.0', '93.4', '100.0', '100']);
  expect([share(1, 4), share(0, 0), share(3, 0)]).toEqual([25, 0, 0]);
});

test('times are those of Chengdu, wherever the screen stands', () => {
  expect(clock('2026-02-28T16:30:05Z')).toEqual({ date: '2026-03-01', time: '00:30:05', weekday: '星期日' });
});

test('the feed names the time for today and the day for before', () => {
  const now = '2026-03-01T09:00:00+08:00';
  expect(moment('2026-03-01T00:05:00+08:00', now)).toBe('00:05');
  expect(moment('2026-02-28T23:59:00+08:00', now)).toBe('02-28');
});

test('spans', () => {
  expect([span(-5), span(59_999), span(60_000), span(3_600_000)]).toEqual(['0 秒', '59 秒', '1 分钟', '1 小时']);
});

test('a line of values fits its box', () => {
  expect(sparkline([0, 5, 10], 100, 40)).toBe('0.0,40.0 50.0,20.0 100.0,0.0');
  expect(sparkline([0, 0], 100, 40)).toBe('0.0,40.0 100.0,40.0');
  expect(sparkline([], 100, 40)).toBe('');
});
