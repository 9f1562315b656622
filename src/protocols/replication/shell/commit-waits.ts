import type { Timers } from '../../../kernel/index.js';

interface Commit {
  readonly epoch: number;
  readonly seq: number;
}

interface Waiting {
  readonly commit: Commit;
  readonly settle: (isThere: boolean) => void;
}

/** Holds the callers that wait for a write to arrive. */
export class CommitWaits {
  private waiting = new Set<Waiting>();

  constructor(
    private readonly timers: Timers,
    private readonly positionNow: () => Commit,
  ) {}

  wait(commit: Commit, timeoutMs: number): Promise<boolean> {
    if (holds(this.positionNow(), commit)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.timers.after(timeoutMs, () => {
        waiting.settle(false);
      });
      const waiting: Waiting = {
        commit,
        settle: (isThere) => {
          cancel();
          this.waiting.delete(waiting);
          resolve(isThere);
        },
      };
      this.waiting.add(waiting);
    });
  }

  /** The owner calls this after each step forward. */
  wake(): void {
    if (this.waiting.size === 0) return;
    const position = this.positionNow();
    for (const waiting of this.waiting) {
      if (holds(position, waiting.commit)) waiting.settle(true);
    }
  }
}

/** A history of an older epoch may hold other records under these numbers. */
function holds(position: Commit, commit: Commit): boolean {
  return position.seq >= commit.seq && position.epoch >= commit.epoch;
}
