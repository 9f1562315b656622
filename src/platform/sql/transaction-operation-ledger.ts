import { acceptedAnswer, type OperationLedger, type OperationRecord, placedAnswer } from '../../kernel/index.js';
import type { SqlOperationLedger } from './sql-operation-ledger.js';
import type { SqlTransactionTable } from './sql-transaction-table.js';
import type { TransactionAcknowledgements, TransactionRow } from './transaction-row.js';

/** Puts into an answer's parsed body what only the participants' receipts could tell. */
export type CompleteBody = (body: unknown, receipts: TransactionAcknowledgements) => unknown;

export interface TransactionAnswers {
  /** The participant whose place in its history answers give as `x-commit`, and whose promise replicas were asked for. */
  readonly replicatedParticipant: string;
  /** By kind of transaction; the body of another kind is given as it was recorded. */
  readonly completeBody: Readonly<Record<string, CompleteBody>>;
}

/**
 * The operations of the SQL file, where one may be a transaction over several stores: its answer was recorded in the
 * commit that decided it, and is whole only when all participants have carried it out.
 */
export class TransactionOperationLedger implements OperationLedger {
  constructor(
    private readonly operations: Pick<SqlOperationLedger, 'findById' | 'findByScope'>,
    private readonly transactions: Pick<SqlTransactionTable, 'findByOperation'>,
    private readonly answers: TransactionAnswers,
  ) {}

  findByScope(scope: string): OperationRecord | undefined {
    return this.whole(this.operations.findByScope(scope));
  }

  findById(id: string): OperationRecord | undefined {
    return this.whole(this.operations.findById(id));
  }

  private whole(record: OperationRecord | undefined): OperationRecord | undefined {
    if (record === undefined) return undefined;
    const transaction = this.transactions.findByOperation(record.id);
    if (transaction === undefined) return record;
    return transaction.receipts
      ? this.completed(record, transaction, transaction.receipts)
      : // It is decided, so the answer is not "no"; what it will be is not known yet.
        { ...record, answer: acceptedAnswer(record.id, 'committed') };
  }

  private completed(
    record: OperationRecord,
    { kind, places }: TransactionRow,
    receipts: TransactionAcknowledgements,
  ): OperationRecord {
    const { answer } = record;
    const { replicatedParticipant, completeBody } = this.answers;
    const complete = completeBody[kind];
    const body =
      answer.body === null || !complete
        ? answer.body
        : JSON.stringify(complete(JSON.parse(answer.body) as unknown, receipts));
    const { place } = receipts[replicatedParticipant] ?? {};
    return { ...record, answer: placedAnswer({ ...answer, body }, place, places[replicatedParticipant]) };
  }
}
