import type { Statement } from 'better-sqlite3';
import type { Acknowledgements, Clock, Decision, DecisionDetails, DecisionRow, Log } from '../../kernel/index.js';
import type { SqlDatabase } from './sql-database.js';
import { TransactionPruning } from './transaction-pruning.js';
import {
  type Completion,
  encodedAcknowledgements,
  STORED_COLUMNS,
  type StoredTransaction,
  transactionRowOf,
} from './transaction-row.js';

const INSERTED_PER_PRUNE = 500;
const SELECT = `SELECT ${STORED_COLUMNS} FROM transactions`;
/** Sorts behind every id. */
const BEHIND_ALL = '\u{10FFFF}';

export interface SqlTransactionTablePorts {
  readonly clock: Clock;
  readonly log: Log;
}

export interface TransactionPage {
  /** The last id of the previous page. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly decision?: Decision | undefined;
  readonly order?: 'oldest-first' | 'newest-first' | undefined;
}

/**
 * Decisions on transactions over several stores, one row each, in the database whose own commit decides them. Invariant: a row is
 * written once and its decision never changes. Readers see a completion at once; it becomes durable later, so a crash may forget
 * it, and the code that completes must be ready to do so again.
 */
export class SqlTransactionTable {
  private readonly insertFirst: Statement<(string | number | null)[]>;
  private readonly decisionWithinWrite: Statement<[string], Decision>;
  private readonly writeCompletion: Statement<[number, string, string]>;
  private readonly writeLoss: Statement<[number, string, string]>;
  private readonly byId: Statement<[string], StoredTransaction>;
  private readonly byOperation: Statement<[string], StoredTransaction>;
  private readonly notCompleted: Statement<[], StoredTransaction>;
  private readonly committedDecision: Statement<[string], Decision>;
  private readonly counts: Statement<[], { readonly decision: Decision; readonly count: number }>;
  private readonly pruning: TransactionPruning;
  /** Completions that are not durable yet. */
  private readonly waiting = new Map<string, Completion>();
  private isDeferred = false;
  private insertedSincePrune = 0;

  /** `mayForget`: whether these participants will never ask again, because snapshots cover their records of the decision. */
  constructor(
    private readonly database: Pick<SqlDatabase, 'writeHandle' | 'writer' | 'reader'>,
    private readonly ports: SqlTransactionTablePorts,
    mayForget: (acknowledgements: Acknowledgements) => boolean,
  ) {
    const { writeHandle: write } = database;
    const read = database.reader.handle;
    this.insertFirst = write.prepare(
      `INSERT INTO transactions (id, decision, kind, decided_by, life, "by", reason, operation_id, begun_at_ms,
         prepared_at_ms, decided_at_ms, places)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    );
    const decisionOf = 'SELECT decision FROM transactions WHERE id = ?';
    this.decisionWithinWrite = write.prepare<[string], Decision>(decisionOf).pluck();
    this.committedDecision = read.prepare<[string], Decision>(decisionOf).pluck();
    this.writeCompletion = write.prepare(
      'UPDATE transactions SET completed_at_ms = ?, receipts = ? WHERE id = ? AND completed_at_ms IS NULL',
    );
    this.writeLoss = write.prepare(
      `UPDATE transactions SET completed_at_ms = coalesce(completed_at_ms, ?), receipts = '{}', "by" = 'operator', reason = ?
       WHERE id = ?`,
    );
    this.byId = read.prepare(`${SELECT} WHERE id = ?`);
    this.byOperation = read.prepare(`${SELECT} WHERE operation_id = ? ORDER BY decision DESC, id LIMIT 1`);
    this.notCompleted = read.prepare(`${SELECT} WHERE completed_at_ms IS NULL ORDER BY id`);
    this.counts = read.prepare('SELECT decision, count FROM transaction_counts');
    this.pruning = new TransactionPruning(write, ports.clock, mayForget);
  }

  /**
   * Only inside work of the write executor: durable with its commit, gone when the work fails. Returns undefined when it wrote
   * the row, and the existing decision, writing nothing, when there is one.
   */
  insert(details: DecisionDetails, decision: Decision): Decision | undefined {
    const { id, kind, decidedBy, incarnation, by, reason, operationId, begunAtMs, preparedAtMs, positions } = details;
    const { changes } = this.insertFirst.run(
      ...[id, decision, kind, decidedBy, incarnation, by, reason ?? null, operationId ?? null],
      ...[begunAtMs, preparedAtMs, this.ports.clock.nowMs(), JSON.stringify(positions)],
    );
    if (changes === 0) return this.decisionWithinWrite.get(id);
    this.insertedSincePrune += 1;
    if (this.insertedSincePrune >= INSERTED_PER_PRUNE) this.prune();
    return undefined;
  }

  find(id: string): DecisionRow | undefined {
    return this.toRow(this.byId.get(id));
  }

  /** Cheaper than `find`. */
  decisionOf(id: string): Decision | undefined {
    return this.committedDecision.get(id);
  }

  /** The transaction that holds the operation's effect; an aborted one only where there is no other. */
  findByOperation(operationId: string): DecisionRow | undefined {
    return this.toRow(this.byOperation.get(operationId));
  }

  /** In the order of ids, which is that of time, oldest first by default. */
  page({ after, limit, decision, order = 'oldest-first' }: TransactionPage): readonly DecisionRow[] {
    const [beyond, direction, start] = order === 'oldest-first' ? ['>', 'ASC', ''] : ['<', 'DESC', BEHIND_ALL];
    // With the decision as a literal SQLite can use the index of aborted ones.
    const filter = decision === undefined ? '' : `AND decision = '${decision}'`;
    const stored = this.database.reader.handle
      .prepare<[string, number], StoredTransaction>(
        `${SELECT} WHERE id ${beyond} ? ${filter} ORDER BY id ${direction} LIMIT ?`,
      )
      .all(after ?? start, limit);
    return stored.map((row) => transactionRowOf(row, this.waiting.get(row.id)));
  }

  /** Takes constant time. */
  count(decision?: Decision): number {
    const counts = this.counts.all().filter((one) => decision === undefined || one.decision === decision);
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  /** Transactions not known to be completed, oldest first. */
  incomplete(): readonly DecisionRow[] {
    const stored = this.notCompleted.all().filter(({ id }) => !this.waiting.has(id));
    return stored.map((row) => transactionRowOf(row, undefined));
  }

  /** Readers see it at once; durable within a second or on closing. Repeated calls and unknown ids have no effect. */
  complete(id: string, acknowledgements: Acknowledgements): void {
    if (this.waiting.has(id)) return;
    this.waiting.set(id, { completedAtMs: this.ports.clock.nowMs(), acknowledgements });
    if (this.isDeferred) return;
    this.isDeferred = true;
    const written: string[] = [];
    this.database.writer.defer(
      () => {
        written.length = 0;
        for (const [waitingId, completion] of this.waiting) {
          const { completedAtMs, acknowledgements } = completion;
          this.writeCompletion.run(completedAtMs, encodedAcknowledgements(acknowledgements), waitingId);
          written.push(waitingId);
        }
      },
      (error) => {
        this.isDeferred = false;
        if (error === undefined) for (const writtenId of written) this.waiting.delete(writtenId);
        else this.ports.log.warn('completed transactions could not be recorded; with the next one', { error });
      },
    );
  }

  /** Completes transactions that a participant has lost. Durable when it resolves. Not on a table in use. */
  giveUp(ids: readonly string[], reason: string): Promise<void> {
    const nowMs = this.ports.clock.nowMs();
    return this.database.writer.run(() => {
      for (const id of ids) this.writeLoss.run(nowMs, reason, id);
    });
  }

  /**
   * Only inside work of the write executor; `insert` also does it, every 500 rows. Forgets at most 1,000 transactions that are
   * completed, may be forgotten and were decided more than a day ago. Returns how many.
   */
  prune(): number {
    this.insertedSincePrune = 0;
    return this.pruning.run();
  }

  private toRow(stored: StoredTransaction | undefined): DecisionRow | undefined {
    return stored && transactionRowOf(stored, this.waiting.get(stored.id));
  }
}
