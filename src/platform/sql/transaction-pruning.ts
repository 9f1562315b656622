import type { Statement } from 'better-sqlite3';
import type { Acknowledgements, Clock } from '../../kernel/index.js';
import type { SqlHandle } from './sql-handle.js';
import { decodedAcknowledgements } from './transaction-row.js';

const RETENTION_MS = 24 * 3_600_000;
const PRUNED_AT_ONCE = 1_000;
/** The first 48 bits of a UUID of version 7 are the milliseconds since the Unix epoch. */
const TIME_DIGITS = 12;

interface Candidate {
  readonly id: string;
  readonly acknowledgements: string;
}

/**
 * Forgets decisions that no participant will ask for. Scans the old rows in the order of ids, a bounded number at a time, and
 * continues behind those that must stay, so that long-lived rows hide no others.
 */
export class TransactionPruning {
  private readonly candidates: Statement<[string, string, number, number], Candidate>;
  private readonly delete: Statement<[string]>;
  private after = '';

  constructor(
    write: SqlHandle,
    private readonly clock: Clock,
    private readonly mayForget: (acknowledgements: Acknowledgements) => boolean,
  ) {
    // No decision precedes its transaction's start, so an id above the bound never belongs to a row that is old enough.
    this.candidates = write.prepare(
      `SELECT id, receipts AS acknowledgements FROM transactions
       WHERE id > ? AND id < ? AND decided_at_ms < ? AND completed_at_ms IS NOT NULL ORDER BY id LIMIT ?`,
    );
    this.delete = write.prepare('DELETE FROM transactions WHERE id = ?');
  }

  /** Returns the number of deleted rows. */
  run(): number {
    const olderThanMs = this.clock.nowMs() - RETENTION_MS;
    const candidates = this.candidates.all(this.after, idsFrom(olderThanMs), olderThanMs, PRUNED_AT_ONCE);
    this.after = candidates.length < PRUNED_AT_ONCE ? '' : (candidates.at(-1)?.id ?? '');
    const forgotten = candidates.filter(({ acknowledgements }) =>
      this.mayForget(decodedAcknowledgements(acknowledgements)),
    );
    for (const { id } of forgotten) this.delete.run(id);
    return forgotten.length;
  }
}

/** At most the smallest id that is made at that time or later. */
function idsFrom(timeMs: number): string {
  const digits = Math.max(0, timeMs).toString(16).padStart(TIME_DIGITS, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}
