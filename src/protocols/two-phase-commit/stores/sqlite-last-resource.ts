import { AppError } from '../../../kernel/index.js';
import type { SqlDatabase, SqlTransactionTable, SqlWriteScope } from '../../../platform/sql/index.js';
import type {
  Decision,
  DecisionDetails,
  DecisionRow,
  LastResource,
  Acknowledgements,
  TransactionId,
} from '../ports.js';

/**
 * The business rows of a transaction. It runs inside the deciding commit, so it is synchronous and may run only statements of the
 * database's write handle. An error that it throws aborts the transaction.
 */
export type SqlWork = (scope: SqlWriteScope, transaction: Pick<DecisionDetails, 'id' | 'positions'>) => unknown;

/** Enough to list what an older copy of the documents lacks, and few enough to read at each start. */
const LAST_COMPLETED = 1_000;
const ABORTED_BEFORE = Symbol('aborted before');

/**
 * The app's own SQLite file as the last resource. Transactions that reach their commit point in one turn of the event loop share
 * one SQL commit, as all work of its write executor does.
 *
 * Invariant: the row is written before the business rows and under the same savepoint, so neither ever exists without the other.
 * Only `outcome-unknown` leaves open whether a call has written; every other refusal is definite.
 */
export class SqliteLastResource implements LastResource<SqlWork, unknown> {
  readonly id: string;
  readonly incarnation: number;

  constructor(
    private readonly database: Pick<SqlDatabase, 'databaseId' | 'incarnation' | 'knowsIncarnation' | 'writer'>,
    private readonly table: SqlTransactionTable,
  ) {
    this.id = database.databaseId;
    this.incarnation = database.incarnation;
  }

  knowsIncarnation(incarnation: number): boolean {
    return this.database.knowsIncarnation(incarnation);
  }

  /** Rejects with `conflict` and writes nothing when the row says `committed` already. */
  async commit(
    details: DecisionDetails,
    work: SqlWork,
  ): Promise<{ readonly decision: 'committed'; readonly result: unknown } | { readonly decision: 'aborted' }> {
    const result = await this.database.writer.run((scope) => {
      const before = this.table.insert(details, 'committed');
      if (before === 'aborted') return ABORTED_BEFORE;
      if (before === 'committed') throw committedBefore(details.id);
      return work(scope, details);
    });
    return result === ABORTED_BEFORE ? { decision: 'aborted' } : { decision: 'committed', result };
  }

  abort(details: readonly DecisionDetails[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    return this.database.writer.run(
      () => new Map(details.map((one) => [one.id, this.table.insert(one, 'aborted') ?? 'aborted'])),
    );
  }

  decide(details: DecisionDetails, decision: Decision): Promise<Decision> {
    return this.database.writer.run(() => this.table.insert(details, decision) ?? decision);
  }

  async decisions(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    const found = new Map<TransactionId, Decision>();
    for (const id of ids) {
      const decision = this.table.decisionOf(id);
      if (decision !== undefined) found.set(id, decision);
    }
    return found;
  }

  async incomplete(): Promise<readonly DecisionRow[]> {
    return this.table.incomplete();
  }

  async lastCompleted(): Promise<readonly DecisionRow[]> {
    const newest = this.table.page({ limit: LAST_COMPLETED, decision: 'committed', order: 'newest-first' });
    return newest.filter(({ completedAtMs }) => completedAtMs !== undefined);
  }

  completed(id: TransactionId, acknowledgements: Acknowledgements): void {
    this.table.complete(id, acknowledgements);
  }
}

function committedBefore(id: TransactionId): AppError {
  return new AppError('conflict', `transaction ${id} was committed before`, { retry: 'never' });
}
