export interface Backoff {
  /** The first wait, in milliseconds; it doubles with every attempt. */
  readonly baseMs: number;
  /** The longest wait in milliseconds, unless a node asks for a longer one. */
  readonly maxMs: number;
}

/**
 * Returns the wait after attempt number `attempt` (from 1), in milliseconds: exponential backoff with full jitter, as in M.
 * Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `chance` is at least 0 and below 1.
 */
export function backoffMs({ baseMs, maxMs }: Backoff, attempt: number, chance: number): number {
  return Math.floor(chance * Math.min(maxMs, baseMs * 2 ** (attempt - 1)));
}

/** Returns the wait of a `Retry-After` header, in milliseconds from `nowMs`; undefined when the header is unreadable. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
