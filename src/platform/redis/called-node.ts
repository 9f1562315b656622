/** How long a node that failed is skipped before one call tries it again. */
export const SKIPPED_FOR_MS = 500;

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * The breaker and the counters of one Redis node. The first failure opens the breaker: calls skip the node. After SKIPPED_FOR_MS
 * one call at a time tries the node (half-open); its success closes the breaker.
 */
export class CalledNode {
  hits = 0;
  misses = 0;
  errors = 0;
  skipped = 0;
  private failedAtMs: number | undefined;
  private isTried = false;

  constructor(
    /** `host:port`. */
    readonly name: string,
  ) {}

  get state(): BreakerState {
    if (this.failedAtMs === undefined) return 'closed';
    return this.isTried ? 'half-open' : 'open';
  }

  /** Whether a call may go to the node now. The caller then reports `succeeded` or `failed`. */
  admits(nowMs: number): boolean {
    if (this.failedAtMs === undefined) return true;
    if (this.isTried || nowMs - this.failedAtMs < SKIPPED_FOR_MS) {
      this.skipped += 1;
      return false;
    }
    this.isTried = true;
    return true;
  }

  /** Returns whether the breaker was open until now. */
  succeeded(): boolean {
    if (this.failedAtMs === undefined) return false;
    this.failedAtMs = undefined;
    this.isTried = false;
    return true;
  }

  /** No call goes to the node any more: it serves no slots. */
  leftOut(): void {
    this.failedAtMs = undefined;
    this.isTried = false;
  }

  failed(nowMs: number): void {
    this.errors += 1;
    this.failedAtMs = nowMs;
    this.isTried = false;
  }
}
