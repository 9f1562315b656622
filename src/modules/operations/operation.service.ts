import { AppError, type OperationLedger, type OperationRecord } from '../../kernel/index.js';
import type { SqlTransactionTable } from '../../platform/sql/index.js';
import type { TransactionView } from '../../protocols/two-phase-commit/index.js';
export type OperationState = 'committed' | 'running' | 'aborted';

export interface FoundOperation<Answer> {
  readonly id: string;
  readonly state: OperationState;
  readonly atMs: number;
  /** Undefined while the answer is unknown, and for an operation that was not done. */
  readonly answer?: Answer | undefined;
}

/** Finished operations of all stores, and transactions under way. */
export class OperationService<Answer> {
  constructor(
    private readonly ledgers: readonly OperationLedger<Answer>[],
    private readonly transactions: { live(): readonly TransactionView[] },
    private readonly rows: Pick<SqlTransactionTable, 'findByOperation'>,
  ) {}

  /** Throws `not-found` when no store knows the operation, or no longer does. */
  find(id: string): FoundOperation<Answer> {
    for (const ledger of this.ledgers) {
      const found = ledger.findById(id);
      if (found !== undefined) return { id, state: stateOf(found), atMs: found.atMs, answer: found.answer };
    }
    const transaction = this.lastTransaction(id);
    if (transaction !== undefined) {
      return { id, state: STATE_OF[transaction.state], atMs: transaction.history.at(-1)?.atMs ?? 0 };
    }
    const row = this.rows.findByOperation(id);
    if (row?.decision === 'aborted') return { id, state: 'aborted', atMs: row.decidedAtMs };
    throw new AppError('not-found', 'this operation is unknown, or was forgotten', { retry: 'never' });
  }

  /** The current state; undefined when no store knows the operation. */
  stateOf(id: string): OperationState | undefined {
    for (const ledger of this.ledgers) {
      const found = ledger.findById(id);
      if (found !== undefined) return stateOf(found);
    }
    const transaction = this.lastTransaction(id);
    return transaction && STATE_OF[transaction.state];
  }

  /** Of several attempts of one operation, only the last can have a state other than aborted. */
  private lastTransaction(id: string): TransactionView | undefined {
    return this.transactions.live().findLast(({ operationId }) => operationId === id);
  }
}

function stateOf({ ended, isUndone }: OperationRecord<unknown>): OperationState {
  if (ended !== undefined) return 'running';
  return isUndone ? 'aborted' : 'committed';
}

const STATE_OF: Readonly<Record<TransactionView['state'], OperationState>> = {
  preparing: 'running',
  'in-doubt': 'running',
  unmatched: 'running',
  committing: 'committed',
  committed: 'committed',
  aborting: 'aborted',
  aborted: 'aborted',
};
