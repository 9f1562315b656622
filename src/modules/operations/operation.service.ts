import { AppError, type OperationLedger, type OperationRecord } from '../../kernel/index.js';
import { type CommitConfirmer, confirmedAnswer, isConfirmedNow } from '../../platform/http/index.js';
import type { SqlTransactionTable } from '../../platform/sql/index.js';
import type { TransactionView } from '../../protocols/two-phase-commit/index.js';
import type { Operation } from './operation.schemas.js';

const ACCEPTED = 202;

/** Finished operations of all stores, and transactions that are under way. */
export class OperationService {
  constructor(
    private readonly ledgers: readonly OperationLedger[],
    private readonly transactions: { live(): readonly TransactionView[] },
    private readonly rows: Pick<SqlTransactionTable, 'findByOperation'>,
    private readonly confirmer: CommitConfirmer,
  ) {}

  /** With the replicas that hold it by now. Rejects with `not-found` for one that no store knows (any more). */
  async find(id: string): Promise<Operation> {
    for (const ledger of this.ledgers) {
      const found = ledger.findById(id);
      if (found !== undefined) return this.recorded(found);
    }
    const transaction = this.lastTransaction(id);
    if (transaction !== undefined) return underWay(id, transaction);
    const row = this.rows.findByOperation(id);
    if (row?.decision === 'aborted') {
      return underWay(id, { state: 'aborted', history: [{ atMs: row.decidedAtMs }] });
    }
    throw new AppError('not-found', 'no store knows an operation with this id (any more)', { retry: 'never' });
  }

  /** As it is now; undefined when no store knows it. */
  stateOf(id: string): Operation['state'] | undefined {
    if (this.ledgers.some((ledger) => ledger.findById(id) !== undefined)) return 'committed';
    const transaction = this.lastTransaction(id);
    return transaction && STATE_OF[transaction.state];
  }

  /** Of several attempts of one operation only the last one can be more than an aborted one. */
  private lastTransaction(id: string): TransactionView | undefined {
    return this.transactions.live().findLast(({ operationId }) => operationId === id);
  }

  private async recorded({ id, atMs, answer }: OperationRecord): Promise<Operation> {
    const about = { operationId: id, state: 'committed', at: new Date(atMs).toISOString() } as const;
    // A transaction that is not carried out by all stores yet.
    if (answer.status === ACCEPTED) return { ...about, confirmed: false, answer: null };
    const { status, headers, body } = await confirmedAnswer(answer, id, 'primary', this.confirmer);
    return {
      ...about,
      confirmed: isConfirmedNow(answer, this.confirmer),
      answer: { status, headers, body: body === null ? null : (JSON.parse(body) as unknown) },
    };
  }
}

function underWay(
  operationId: string,
  {
    state,
    history,
  }: { readonly state: TransactionView['state']; readonly history: readonly { readonly atMs: number }[] },
): Operation {
  const at = new Date(history.at(-1)?.atMs ?? 0).toISOString();
  return { operationId, state: STATE_OF[state], confirmed: false, at, answer: null };
}

const STATE_OF: Readonly<Record<TransactionView['state'], Operation['state']>> = {
  preparing: 'running',
  'in-doubt': 'running',
  unmatched: 'running',
  committing: 'committed',
  committed: 'committed',
  aborting: 'aborted',
  aborted: 'aborted',
};
