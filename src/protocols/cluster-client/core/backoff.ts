export interface Backoff {
  /** Of the first wait, in milliseconds; it doubles with every attempt. */
  readonly baseMs: number;
  /** No wait is longer, but for what a node asks for. */
  readonly maxMs: number;
}

/**
 * How long to wait after attempt number `attempt` (from 1), in milliseconds: exponential backoff with full jitter, as in
 * M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `chance` is from 0 up to 1.
 */
export function backoffMs({ baseMs, maxMs }: Backoff, attempt: number, chance: number): number {
  return Math.floor(chance * Math.min(maxMs, baseMs * 2 ** (attempt - 1)));
}

/** What a `Retry-After` asks for, in milliseconds from `nowMs` on; undefined when it says nothing that can be read. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
