import { isAppError, type NextTurn } from '../../kernel/index.js';

/** What the two stores say of the ids of users. */
export interface UsedIds {
  /** That was allotted and committed, in whatever life; 0 when none was. Ids that callers chose do not count. */
  readonly lastAllotted: () => number;
  /** Whether a user has it, in SQL or among the documents. */
  readonly isTaken: (id: number) => boolean;
}

/** More writes than can be under way. What goes on for longer is no race for ids. */
const MAX_CLASHES = 10_000;
const SKIPPED_PER_TURN = 1_000;

/**
 * Allots the ids of users that are free in SQL and among the documents. There is one for the whole process.
 *
 * Invariant: an id is allotted once in the life of a process, is above every one that was allotted and committed before,
 * in whatever life, and no user has it in either store. One whose write failed is not given again before the next start.
 */
export class UserIds {
  private highestAllotted = 0;

  constructor(
    private readonly used: UsedIds,
    private readonly nextTurn: NextTurn,
  ) {}

  /**
   * What `attempt` gives with the first id that it does not find taken meanwhile, by a caller who chose it. It says so by
   * rejecting with `conflict`, nothing written. Rejects with anything else that it rejects with.
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

  /** Takes a turn now and then: callers may have chosen any number of ids in a row. */
  private async next(): Promise<number> {
    for (let skipped = 1; ; skipped += 1) {
      const id = Math.max(this.highestAllotted, this.used.lastAllotted()) + 1;
      this.highestAllotted = id;
      if (!this.used.isTaken(id)) return id;
      if (skipped % SKIPPED_PER_TURN === 0) await new Promise<void>((resolve) => this.nextTurn(resolve));
    }
  }
}
