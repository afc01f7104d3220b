// The signed-in worker's tokens. The access token lives some minutes, the
// refresh token is used once and replaced. Both are kept in sessionStorage:
// the screen stays signed in over reloads, and a closed window forgets them.

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** Thrown by a renewal that the server refused: the session is over. Any other
 * error means that the server could not be asked, and the session goes on. */
export class SessionOver extends Error {}

/** Exchanges a refresh token for new tokens. */
export type Renewal = (refreshToken: string) => Promise<Tokens>;

interface Kept extends Tokens {
  /** By this device's clock, in milliseconds since 1970. */
  expiresAt: number;
}

const key = 'citizencloud.screen.session';
/** A token this close to its end counts as expired. */
const margin = 30_000;
const unknownLifetime = 60_000;

/** How long the access token lives, in milliseconds. It is read from the token
 * as a span, because the clock of a screen may be wrong. */
export function lifetime(accessToken: string): number {
  try {
    const part = accessToken.split('.')[1] ?? '';
    const claims = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as { iat?: number; exp?: number };
    if (claims.iat && claims.exp && claims.exp > claims.iat) return (claims.exp - claims.iat) * 1000;
  } catch {
    // not a JWT: renew it soon
  }
  return unknownLifetime;
}

export class Session {
  private kept: Kept | null;
  private renewing: Promise<void> | null = null;
  private readonly listeners = new Set<() => void>();
  /** Why the session ended, for the sign-in page; '' if the user asked for it. */
  notice = '';

  constructor(
    private readonly renewal: Renewal,
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
    private readonly now: () => number = Date.now,
  ) {
    this.kept = read(storage);
  }

  get signedIn(): boolean {
    return this.kept !== null;
  }

  /** Calls back when somebody signs in or out; gives the function that stops it. */
  watch = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  start(tokens: Tokens): void {
    this.notice = '';
    this.keep(tokens);
    this.tell();
  }

  end(notice = ''): void {
    if (!this.kept) return;
    this.kept = null;
    this.notice = notice;
    this.storage.removeItem(key);
    this.tell();
  }

  /** A valid access token, renewed if need be; null if nobody is signed in. */
  async token(): Promise<string | null> {
    if (this.renewing || (this.kept && this.now() > this.kept.expiresAt - margin)) await this.renew();
    return this.kept?.accessToken ?? null;
  }

  /** Renews the tokens. Callers at the same time share one renewal, for a
   * refresh token that is used twice ends the session. */
  renew(): Promise<void> {
    this.renewing ??= this.exchange().finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async exchange(): Promise<void> {
    const before = this.kept;
    if (!before) return;
    try {
      const tokens = await this.renewal(before.refreshToken);
      if (this.kept === before) this.keep(tokens);
    } catch (error) {
      if (!(error instanceof SessionOver)) throw error;
      if (this.kept === before) this.end('登录已失效，请重新登录');
    }
  }

  private keep(tokens: Tokens): void {
    this.kept = { ...tokens, expiresAt: this.now() + lifetime(tokens.accessToken) };
    this.storage.setItem(key, JSON.stringify(this.kept));
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function read(storage: Pick<Storage, 'getItem'>): Kept | null {
  try {
    const kept = JSON.parse(storage.getItem(key) ?? 'null') as Partial<Kept> | null;
    if (kept?.accessToken && kept.refreshToken && typeof kept.expiresAt === 'number') return kept as Kept;
  } catch {
    // written by another version: sign in again
  }
  return null;
}
