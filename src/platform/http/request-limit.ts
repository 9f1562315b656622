import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { AppError, type MaybePromise } from '../../kernel/index.js';

export const RATE_LIMIT_HEADER = 'x-ratelimit-limit';
const WINDOW_MS = 60_000;
const MS_PER_SECOND = 1_000;
/** Two megabytes. The caller who has been silent longest is forgotten first, and may start a new window. */
const MAX_CALLERS = 10_000;

interface Window {
  endsMs: number;
  count: number;
}

/** The state of a caller's quota after a request. */
export interface QuotaUsage {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly isOver: boolean;
}

/** A caller's count over all processes, after a request. */
export interface SharedUsage {
  readonly count: number;
  /** The caller had reached the limit before this request, which was not counted. */
  readonly isOver: boolean;
  readonly endsInMs: number;
}

/** Counts the requests of a caller over all processes. */
export interface SharedQuota {
  /** False while no answer is to be expected. */
  readonly isAvailable: boolean;
  /**
   * Adds `weight`, unless the caller has reached `limit`, in a window that begins with the caller's first request. Settles within a
   * deadline; rejects when the count is not known, and may have counted nevertheless.
   */
  add(caller: string, weight: number, limit: number, windowMs: number): Promise<SharedUsage>;
}

/** Counts requests per caller, in one-minute windows that begin with the caller's first request. */
export class RequestLimit {
  private readonly windows = new LRUCache<string, Window>({ max: MAX_CALLERS });

  /** `nowMs` must be monotonic: after a clock is set back, a window would last until the clock catches up. */
  constructor(
    private readonly requestsPerMinute: number,
    private readonly nowMs: () => number,
  ) {}

  count(caller: string, weight = 1): QuotaUsage {
    const nowMs = this.nowMs();
    const window = this.windowOf(caller, nowMs);
    const isOver = window.count >= this.requestsPerMinute;
    if (!isOver) window.count += weight;
    return this.usage(window.count, window.endsMs - nowMs, isOver);
  }

  /**
   * Counts here, and over all processes where `shared` answers. A caller beyond the limit of this process is refused without asking;
   * so is one that all processes together have refused, until its window ends. While `shared` does not answer, this process decides.
   */
  countShared(shared: SharedQuota, caller: string, weight = 1): MaybePromise<QuotaUsage> {
    const own = this.count(caller, weight);
    if (own.isOver || !shared.isAvailable) return own;
    return shared.add(caller, weight, this.requestsPerMinute, WINDOW_MS).then(
      ({ count, isOver, endsInMs }) => {
        if (isOver) this.refuseFor(caller, endsInMs);
        return this.usage(count, endsInMs, isOver);
      },
      () => own,
    );
  }

  private refuseFor(caller: string, durationMs: number): void {
    const nowMs = this.nowMs();
    const window = this.windowOf(caller, nowMs);
    window.count = Math.max(window.count, this.requestsPerMinute);
    window.endsMs = nowMs + Math.min(durationMs, WINDOW_MS);
  }

  private windowOf(caller: string, nowMs: number): Window {
    const known = this.windows.get(caller);
    if (known && known.endsMs > nowMs) return known;
    const window = { endsMs: nowMs + WINDOW_MS, count: 0 };
    this.windows.set(caller, window);
    return window;
  }

  private usage(count: number, endsInMs: number, isOver: boolean): QuotaUsage {
    const limit = this.requestsPerMinute;
    const resetSeconds = Math.max(1, Math.ceil(endsInMs / MS_PER_SECOND));
    return { limit, remaining: Math.max(0, limit - count), resetSeconds, isOver };
  }
}

export function rateLimited({ limit, resetSeconds }: QuotaUsage): AppError {
  return new AppError('rate-limited', `more than ${String(limit)} requests in one minute`, {
    retry: 'safe',
    retryAfterSeconds: resetSeconds,
  });
}

export function setQuotaHeaders(reply: FastifyReply, { limit, remaining, resetSeconds }: QuotaUsage): void {
  reply.header(RATE_LIMIT_HEADER, limit);
  reply.header('x-ratelimit-remaining', remaining);
  reply.header('x-ratelimit-reset', resetSeconds);
}
