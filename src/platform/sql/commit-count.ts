import type { Statement } from 'better-sqlite3';
import type { SqlHandle } from './sql-handle.js';

/**
 * The name under which the file's own generation stands among those of its tables: it moves with every commit that changes
 * anything, and so counts them. In a row beside the others it costs no page of its own.
 */
export const COMMITS = '*';

/** Stands among the generations once a witness of the commits was durable beside the file: none is a loss from then on. */
const WITNESSED = '*witnessed';

/** Of a file with that table. */
export function isWitnessed(handle: SqlHandle): boolean {
  return handle.prepare('SELECT 1 FROM generations WHERE table_name = ?').get(WITNESSED) !== undefined;
}

/** In the file itself, and not only in its log, which may be lost with the witness. */
export function markWitnessed(handle: SqlHandle): void {
  if (isWitnessed(handle)) return;
  handle.prepare('INSERT INTO generations (table_name, generation) VALUES (?, 1)').run(WITNESSED);
  handle.pragma('wal_checkpoint(PASSIVE)');
}

/** For an incarnation that takes back what it has begun. */
export function unmarkWitnessed(handle: SqlHandle): void {
  handle.prepare('DELETE FROM generations WHERE table_name = ?').run(WITNESSED);
}

/** Counts the commits of one file, inside of them. */
export class CommitCount {
  private readonly move: Statement<[], number>;
  private readonly changes: Statement<[], number>;
  private changesSeen = 0;

  constructor(handle: SqlHandle) {
    this.move = handle
      .prepare<[], number>(
        `INSERT INTO generations (table_name, generation) VALUES ('${COMMITS}', 1)
         ON CONFLICT (table_name) DO UPDATE SET generation = generation + 1 RETURNING generation`,
      )
      .pluck();
    this.changes = handle.prepare<[], number>('SELECT total_changes()').pluck();
  }

  /** To be called as the last statement of a transaction. The number of its commit; undefined when it changes nothing. */
  next(): number | undefined {
    const changes = this.changes.get() ?? 0;
    if (changes === this.changesSeen) return undefined;
    // The count itself is one more. Changes that were rolled back count as well: then a commit without any is counted.
    this.changesSeen = changes + 1;
    return this.move.get();
  }
}
