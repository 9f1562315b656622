import type { Statement } from 'better-sqlite3';
import type { SqlHandle } from '../../../platform/sql/index.js';
import { ROWS_PER_SAGA } from './append-saga-steps.migration.js';

/** Raising the mark costs a page in its commit, and a look at the rows between. */
const RAISED_AFTER_NOTES = 1_000;
/** Steps of sagas that run at the same time come in another order than their numbers, and each one below the mark lowers it. */
const NUMBERS_BEHIND = 1_000;

/**
 * The saga number at which the pending rows of one file begin, so that the outbox is read without an index.
 *
 * Invariant: no row with a lower number is pending. It is kept in the commits that write the rows. Every method is for work of
 * the write executor only.
 */
export class OutboxMark {
  private readonly lower: Statement<[number, number]>;
  private readonly raise: Statement<[number]>;
  private readonly read: Statement<[], number>;
  private notes = 0;
  /** At least the durable mark. */
  private highest: number;

  constructor(handle: SqlHandle) {
    this.lower = handle.prepare('UPDATE saga_retention SET delivered_below = ? WHERE delivered_below > ?');
    this.raise = handle.prepare(
      `UPDATE saga_retention SET delivered_below = max(delivered_below, min(
         coalesce((SELECT max(id) FROM saga_steps) / ${String(ROWS_PER_SAGA)}, 0) - ?,
         coalesce((SELECT saga_number FROM saga_steps
                   WHERE id >= delivered_below * ${String(ROWS_PER_SAGA)} AND delivery = 'pending' ORDER BY id LIMIT 1), ${String(Number.MAX_SAFE_INTEGER)})))`,
    );
    this.read = handle.prepare<[], number>('SELECT delivered_below FROM saga_retention').pluck();
    this.highest = this.read.get() ?? 0;
  }

  /** Call it in the commit that writes a pending row. */
  pending(number: number): void {
    if (number < this.highest) this.lower.run(number, number);
  }

  /** Call it in the commit that writes so many notes, after them. */
  noted(count: number): void {
    this.notes += count;
    if (this.notes < RAISED_AFTER_NOTES) return;
    this.notes = 0;
    this.raise.run(NUMBERS_BEHIND);
    // A rollback leaves this too high, which costs a statement and breaks nothing.
    this.highest = Math.max(this.highest, this.read.get() ?? 0);
  }
}
