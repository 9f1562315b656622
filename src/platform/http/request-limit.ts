import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { AppError } from '../../kernel/index.js';

export const RATE_LIMIT_HEADER = 'x-ratelimit-limit';
const WINDOW_MS = 60_000;
const MS_PER_SECOND = 1_000;
/** Two megabytes. The caller who has been silent longest is forgotten first, and may start a new window. */
const MAX_CALLERS = 10_000;

interface Window {
  readonly endsMs: number;
  count: number;
}

/** The state of a caller's quota after a request. */
export interface QuotaUsage {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly isOver: boolean;
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
    let window = this.windows.get(caller);
    if (!window || window.endsMs <= nowMs) {
      this.windows.set(caller, (window = { endsMs: nowMs + WINDOW_MS, count: 0 }));
    }
    const limit = this.requestsPerMinute;
    const isOver = window.count >= limit;
    if (!isOver) window.count += weight;
    return {
      limit,
      remaining: Math.max(0, limit - window.count),
      resetSeconds: Math.ceil((window.endsMs - nowMs) / MS_PER_SECOND),
      isOver,
    };
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
