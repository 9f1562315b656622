import { LRUCache } from 'lru-cache';
import { AppError } from '../../kernel/index.js';

const ATTEMPTS = 10;
const WINDOW_MS = 900_000;
const MS_PER_SECOND = 1_000;
/** The account that has been silent longest is forgotten first, and may start a new window. */
const MAX_ACCOUNTS = 100_000;

interface Window {
  readonly endsMs: number;
  count: number;
}

/**
 * Bounds how often a password of one account is guessed: ten attempts in a quarter of an hour that begins with the first; a success
 * ends it. An attempt counts before its password is compared, so that attempts at the same time count too. Accounts that do not
 * exist count alike, because a difference would tell which exist.
 */
export class LoginLimit {
  private readonly windows = new LRUCache<string, Window>({ max: MAX_ACCOUNTS });

  /** `nowMs` must be monotonic. */
  constructor(private readonly nowMs: () => number) {}

  /** Throws `too-many-logins`. */
  attempt(account: string): void {
    const nowMs = this.nowMs();
    const known = this.windows.get(account);
    const window = known && known.endsMs > nowMs ? known : { endsMs: nowMs + WINDOW_MS, count: 0 };
    if (window.count >= ATTEMPTS) throw tooMany(window.endsMs - nowMs);
    window.count += 1;
    this.windows.set(account, window);
  }

  succeeded(account: string): void {
    this.windows.delete(account);
  }

  /** Takes back an attempt that compared nothing. */
  notTried(account: string): void {
    const window = this.windows.get(account);
    if (window !== undefined) window.count -= 1;
  }
}

function tooMany(waitMs: number): AppError {
  return new AppError(
    'too-many-logins',
    `${String(ATTEMPTS)} attempts for this account within a quarter of an hour: try again later`,
    {
      retry: 'safe',
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / MS_PER_SECOND)),
    },
  );
}
