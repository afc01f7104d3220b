// Numbers and times as the board writes them. All pure.

const whole = new Intl.NumberFormat('zh-CN');
const zone = 'Asia/Shanghai';
const clockParts = new Intl.DateTimeFormat('zh-CN', {
  timeZone: zone,
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  weekday: 'long',
});

/** 12345 → "12,345". */
export function count(n: number): string {
  return whole.format(n);
}

/** A percentage 0–100 with one decimal, "—" if there is none. */
export function percent(value: number | null | undefined): string {
  return value == null ? '—' : value >= 100 ? '100' : value.toFixed(1);
}

/** Which part of the whole, as a percentage 0–100; 0 of nothing is 0. */
export function share(part: number, all: number): number {
  return all > 0 ? (part / all) * 100 : 0;
}

export interface Clock {
  date: string; // 2026-03-01
  time: string; // 09:30:05
  weekday: string; // 星期日
}

/** The moment by the clocks of Chengdu, wherever the screen stands. */
export function clock(at: Date | number | string): Clock {
  const part = Object.fromEntries(clockParts.formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
  return {
    date: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}:${part.second}`,
    weekday: part.weekday ?? '',
  };
}

/** When something of the feed happened, as seen at `now`: the time for today,
 * else the day. */
export function moment(at: string, now: string): string {
  const then = clock(at);
  return then.date === clock(now).date ? then.time.slice(0, 5) : then.date.slice(5);
}

/** A span in the largest fitting unit: "35 秒", "4 分钟", "2 小时". */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} 秒`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟`;
  return `${Math.floor(seconds / 3600)} 小时`;
}

/** Points of a line through the values, for an SVG of the given size. */
export function sparkline(values: readonly number[], width: number, height: number): string {
  const top = Math.max(1, ...values);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values.map((value, i) => `${(i * step).toFixed(1)},${(height - (value / top) * height).toFixed(1)}`).join(' ');
}
