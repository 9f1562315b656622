import { isAppError, type NextTurn } from '../../kernel/index.js';

export interface UsedIds {
  /** The last id that any incarnation allotted and committed, or 0. Ids that callers chose do not count. */
  readonly lastAllotted: () => number;
  /** Whether a user has the id, in SQL or among the documents. */
  readonly isTaken: (id: number) => boolean;
}

/** More than the writes that can be under way; a longer series of clashes is no race for ids. */
const MAX_CLASHES = 10_000;
const SKIPPED_PER_TURN = 1_000;

/**
 * Allots user ids that are free in SQL and among the documents. The whole process shares one instance. Invariant: an incarnation
 * allots an id once, above every id that any incarnation allotted and committed before, and no user has it in either store. The
 * id of a failed write is not allotted again before the next start.
 */
export class UserIds {
  private highestAllotted = 0;

  constructor(
    private readonly used: UsedIds,
    private readonly nextTurn: NextTurn,
  ) {}

  /**
   * Returns the result of `attempt` with the first id that no caller takes meanwhile. `attempt` reports a taken id by rejecting
   * with `conflict`, nothing written; every other error is passed through.
   */
  async allot<T>(attempt: (id: number) => Promise<T>): Promise<T> {
    for (let clashes = 1; ; clashes += 1) {
      try {
        return await attempt(await this.next());
      } catch (error) {
        if (!isAppError(error, 'conflict') || clashes === MAX_CLASHES) throw error;
      }
    }
  }

  /** Yields now and then, because callers may have chosen any number of ids in a row. */
  private async next(): Promise<number> {
    for (let skipped = 1; ; skipped += 1) {
      const id = Math.max(this.highestAllotted, this.used.lastAllotted()) + 1;
      this.highestAllotted = id;
      if (!this.used.isTaken(id)) return id;
      if (skipped % SKIPPED_PER_TURN === 0) await new Promise<void>((resolve) => this.nextTurn(resolve));
    }
  }
}
