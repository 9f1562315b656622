import { isAppError } from '../../kernel/index.js';

/** What the two stores say of the ids of users. */
export interface UsedIds {
  /** That the SQL table ever held; 0 when it never held any. */
  readonly highestInSql: () => number;
  /** Above all that looked like numbers and were ever the id of a document. */
  readonly nextInDocuments: () => number;
  /** Whether a document has it that was not counted, as it has too many digits. */
  readonly isDocument: (id: number) => boolean;
}

/** More writes than can be under way. What goes on for longer is no race for ids. */
const MOST_CLASHES = 10_000;

/**
 * Allots the ids of users that are free in SQL and among the documents. There is one for the whole process.
 *
 * Invariant: an id is allotted once in the life of a process and is above every one that was used before, in either
 * store and in whatever life. One whose write failed is not given again before the next start.
 */
export class UserIds {
  private highestAllotted = 0;

  constructor(private readonly used: UsedIds) {}

  /**
   * What `attempt` gives with the first id that it does not find taken meanwhile, by a caller who chose it. It says so by
   * rejecting with `conflict`, nothing written. Rejects with anything else that it rejects with.
   */
  async allot<T>(attempt: (id: number) => Promise<T>): Promise<T> {
    for (let clashes = 1; ; clashes += 1) {
      try {
        return await attempt(this.next());
      } catch (error) {
        if (!isAppError(error, 'conflict') || clashes === MOST_CLASHES) throw error;
      }
    }
  }

  private next(): number {
    const { highestInSql, nextInDocuments, isDocument } = this.used;
    let id = Math.max(this.highestAllotted + 1, highestInSql() + 1, nextInDocuments());
    while (isDocument(id)) id += 1;
    this.highestAllotted = id;
    return id;
  }
}
