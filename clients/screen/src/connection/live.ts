// A stream that never gives up: it connects, notices when the line is dead,
// waits, connects again. Each connection begins with the whole present state,
// so that connecting again is catching up.
import { backoff } from './backoff';

/** What the viewer is told about the connection. */
export type LiveState =
  | { kind: 'connecting'; attempt: number }
  | { kind: 'live' }
  /** Lost, and tried again at `retryAt` (milliseconds since 1970). */
  | { kind: 'lost'; since: number; attempt: number; retryAt: number }
  /** The server will not give this stream to this user. */
  | { kind: 'refused'; message: string };

/** What one connection reports. */
export interface Sink<T> {
  /** Anything at all was received, a heartbeat too. */
  heard(): void;
  next(value: T): void;
  /** The connection ended, for whatever reason. */
  ended(): void;
  /** The server said no: trying again soon makes no sense. */
  refused(message: string): void;
}

/** Opens one connection; gives the function that closes it. */
export type Open<T> = (sink: Sink<T>) => () => void;

export interface Timing {
  /** Silence after which a connection counts as dead; the server sends a
   * heartbeat more often. */
  silence: number;
  /** Time without a value after which the state is asked for anew: some
   * numbers (overdue, today) change by the clock alone. */
  refresh: number;
  /** Wait after a refusal. */
  refused: number;
  /** How long a living stream may change its connection before that is told. */
  grace: number;
  /** A connection that lived shorter is not replaced at once. */
  settled: number;
}

export const timing: Timing = { silence: 40_000, refresh: 300_000, refused: 60_000, grace: 3_000, settled: 10_000 };

export class Live<T> {
  private close: (() => void) | null = null;
  private attempt = 0;
  private lostSince = 0;
  private connectedAt = 0;
  private grace: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private refresh: ReturnType<typeof setTimeout> | undefined;
  private state: LiveState = { kind: 'connecting', attempt: 0 };
  private stopped = false;

  constructor(
    private readonly open: Open<T>,
    private readonly out: { next(value: T): void; state(state: LiveState): void },
    private readonly times: Timing = timing,
    private readonly random: () => number = Math.random,
  ) {}

  start(): void {
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.hangUp();
    clearTimeout(this.again);
  }

  /** The network is back, or the page visible again: do not wait any longer. */
  wake(): void {
    if (this.state.kind === 'lost' || this.state.kind === 'refused') this.connect();
  }

  /** The network is gone. */
  offline(): void {
    if (this.state.kind === 'live' || this.state.kind === 'connecting') this.lose();
  }

  private connect(): void {
    if (this.stopped) return;
    clearTimeout(this.again);
    this.hangUp();
    // that a living stream changes its connection is nothing to tell, if it is quick
    if (this.state.kind === 'live') this.grace = setTimeout(() => this.lose(), this.times.grace);
    else this.set({ kind: 'connecting', attempt: this.attempt });
    this.connectedAt = Date.now();
    let current = true;
    const ifCurrent =
      <A extends unknown[]>(then: (...values: A) => void) =>
      (...values: A) => {
        if (current) then(...values);
      };
    this.listen();
    const close = this.open({
      heard: ifCurrent(() => this.listen()),
      next: ifCurrent((value) => this.take(value)),
      ended: ifCurrent(() => this.ended()),
      refused: ifCurrent((message) => this.refuse(message)),
    });
    this.close = () => {
      current = false;
      close();
    };
  }

  private take(value: T): void {
    this.attempt = 0;
    this.listen();
    clearTimeout(this.grace);
    clearTimeout(this.refresh);
    this.refresh = setTimeout(() => this.connect(), this.times.refresh);
    this.out.next(value);
    if (this.state.kind !== 'live') this.set({ kind: 'live' });
  }

  private listen(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lose(), this.times.silence);
  }

  /** The server ends streams when their token expires or itself restarts:
   * another connection then takes over. */
  private ended(): void {
    if (this.state.kind === 'live' && Date.now() - this.connectedAt >= this.times.settled) this.connect();
    else this.lose();
  }

  private lose(): void {
    this.hangUp();
    if (this.state.kind === 'live' || this.lostSince === 0) this.lostSince = Date.now();
    const wait = backoff(this.attempt, this.random);
    this.attempt++;
    this.again = setTimeout(() => this.connect(), wait);
    this.set({ kind: 'lost', since: this.lostSince, attempt: this.attempt, retryAt: Date.now() + wait });
  }

  private refuse(message: string): void {
    this.hangUp();
    this.again = setTimeout(() => this.connect(), this.times.refused);
    this.set({ kind: 'refused', message });
  }

  private hangUp(): void {
    clearTimeout(this.silence);
    clearTimeout(this.refresh);
    clearTimeout(this.grace);
    this.close?.();
    this.close = null;
  }

  private set(state: LiveState): void {
    this.state = state;
    this.out.state(state);
  }
}
