import type { Statement } from 'better-sqlite3';
import { type Clock, keyRetentionMs, SERVER_ID_RETENTION } from '../../../kernel/index.js';
import type { SqlDatabase } from '../../../platform/sql/index.js';

interface Row {
  readonly number: number;
  readonly scope: string | null;
  readonly owner: string | null;
  readonly endedAtMs: number | null;
}

const LOOKED_AT_AT_ONCE = 1_000;
/** How often all that is left is looked at once more; otherwise only what has been added. */
const SWEEPS_PER_WHOLE = 360;

/**
 * Which checkouts `orders.db` forgets: those that ended 24 hours ago with a client's key (2 minutes with one that a process of ours has
 * added), else 10 minutes ago or before the last 100,000.
 */
export class CheckoutRetention {
  private readonly fromNumber: Statement<[number, number], Row>;
  private readonly lastNumber: Statement<[], number | null>;
  private readonly deleteRow: Statement<[number]>;
  private readonly deleteRowsBelow: Statement<[number]>;
  private swept = 0;
  private sweeps = 0;

  constructor(
    private readonly database: Pick<SqlDatabase, 'writer' | 'writeHandle' | 'reader'>,
    private readonly clock: Clock,
  ) {
    const { handle: read } = database.reader;
    this.fromNumber = read.prepare(
      'SELECT number, scope, owner, ended_at_ms AS endedAtMs FROM sagas WHERE number >= ? ORDER BY number LIMIT ?',
    );
    this.lastNumber = read.prepare<[], number | null>('SELECT max(number) FROM sagas').pluck();
    this.deleteRow = database.writeHandle.prepare('DELETE FROM sagas WHERE number = ?');
    this.deleteRowsBelow = database.writeHandle.prepare('DELETE FROM sagas WHERE number < ?');
  }

  /**
   * The number below which all checkouts from `from` on have ended and need no longer be kept, so that their step rows may go too.
   * Looks at 1,000 of them.
   */
  prunePoint(from: number): number {
    const { last } = this;
    let point = from;
    for (const row of this.fromNumber.all(from, LOOKED_AT_AT_ONCE)) {
      if (this.isKept(row, last)) return row.number;
      point = row.number + 1;
    }
    return point;
  }

  /** Only below a point of `prunePoint`, inside work of the write executor. */
  deleteBelow(point: number): void {
    this.deleteRowsBelow.run(point);
  }

  /**
   * Forgets each checkout whose time has come, also behind one that is kept longer. Its step rows stay until the point has passed
   * them. The last checkout stays, so that a later `prunePoint` comes past the numbers that are gone.
   */
  async sweep(): Promise<void> {
    this.sweeps += 1;
    if (this.sweeps % SWEEPS_PER_WHOLE === 0) this.swept = 0;
    for (let isMore = true; isMore;) isMore = await this.sweepNext();
  }

  private async sweepNext(): Promise<boolean> {
    const { last } = this;
    const rows = this.fromNumber.all(this.swept, LOOKED_AT_AT_ONCE);
    const gone: number[] = [];
    let isMore = rows.length === LOOKED_AT_AT_ONCE;
    let swept = this.swept;
    for (const row of rows) {
      const isKept = this.isKept(row, last);
      // Those behind a row that is kept for minutes have ended later, or nearly so.
      if (row.number >= last || (isKept && row.endedAtMs !== null && !isKeptLong(row))) {
        isMore = false;
        break;
      }
      if (!isKept) gone.push(row.number);
      swept = row.number + 1;
    }
    if (gone.length > 0) {
      await this.database.writer.run(() => {
        for (const number of gone) this.deleteRow.run(number);
      });
    }
    this.swept = swept;
    return isMore;
  }

  private get last(): number {
    return this.lastNumber.get() ?? 0;
  }

  private isKept({ number, scope, owner, endedAtMs }: Row, last: number): boolean {
    if (endedAtMs === null) return true;
    const nowMs = this.clock.nowMs();
    if (scope !== null) return nowMs < endedAtMs + keyRetentionMs(owner ?? undefined);
    return number > last - SERVER_ID_RETENTION.count && nowMs < endedAtMs + SERVER_ID_RETENTION.ms;
  }
}

function isKeptLong({ scope, owner }: Row): boolean {
  return scope !== null && keyRetentionMs(owner ?? undefined) > SERVER_ID_RETENTION.ms;
}
