import type { Statement } from 'better-sqlite3';
import type { SqlHandle } from './sql-handle.js';

/**
 * The generation of the whole file, stored among those of its tables: every commit with a change moves it, so it counts commits.
 * A row beside the others needs no page of its own.
 */
export const COMMITS = '*';

/** Marks that a witness of the commits was once durable beside the file; from that moment, a missing witness is a loss. */
const WITNESSED = '*witnessed';

/** The file must have the table of generations. */
export function isWitnessed(handle: SqlHandle): boolean {
  return handle.prepare('SELECT 1 FROM generations WHERE table_name = ?').get(WITNESSED) !== undefined;
}

/** Durable in the file itself, because its log may be lost together with the witness. */
export function markWitnessed(handle: SqlHandle): void {
  if (isWitnessed(handle)) return;
  handle.prepare('INSERT INTO generations (table_name, generation) VALUES (?, 1)').run(WITNESSED);
  handle.pragma('wal_checkpoint(PASSIVE)');
}

/** Reverts the mark when an incarnation abandons its start. */
export function unmarkWitnessed(handle: SqlHandle): void {
  handle.prepare('DELETE FROM generations WHERE table_name = ?').run(WITNESSED);
}

/** Counts the commits of one file, within those commits, while no other handle writes to it. */
export class CommitCount {
  private readonly first: Statement<[], number>;
  private readonly move: Statement<[number]>;
  private readonly changes: Statement<[], number>;
  private changesSeen = 0;
  /** Number of the last durable commit; undefined before the first of this handle. */
  private durable: number | undefined;

  constructor(handle: SqlHandle) {
    this.first = handle
      .prepare<[], number>(
        `INSERT INTO generations (table_name, generation) VALUES ('${COMMITS}', 1)
         ON CONFLICT (table_name) DO UPDATE SET generation = generation + 1 RETURNING generation`,
      )
      .pluck();
    this.move = handle.prepare(`UPDATE generations SET generation = ? WHERE table_name = '${COMMITS}'`);
    this.changes = handle.prepare<[], number>('SELECT total_changes()').pluck();
  }

  /** Call it as the last statement of a transaction. The number of its commit; undefined when it changes nothing. */
  next(): number | undefined {
    const changes = this.changes.get() ?? 0;
    if (changes === this.changesSeen) return undefined;
    // Counting is itself one change. Rolled-back changes count too, so an empty commit may be counted.
    this.changesSeen = changes + 1;
    if (this.durable === undefined) return this.first.get();
    this.move.run(this.durable + 1);
    return this.durable + 1;
  }

  /** Call it when the commit that has this number is durable. */
  committed(count: number | undefined): void {
    this.durable = count ?? this.durable;
  }
}
