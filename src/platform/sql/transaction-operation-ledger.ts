import type { OperationLedger, OperationRecord } from '../../kernel/index.js';
import type { RecordedAnswer, SqlOperationLedger } from './sql-operation-ledger.js';
import type { SqlTransactionTable } from './sql-transaction-table.js';
import type { TransactionAcknowledgements, TransactionRow } from './transaction-row.js';

/** Puts into the answer to a transaction what only the participants' acknowledgements could tell. */
export type CompleteAnswer<Answer> = (
  recorded: RecordedAnswer,
  transaction: TransactionRow,
  acknowledgements: TransactionAcknowledgements,
) => Answer;

/**
 * The operations of the SQL file, where one may be a transaction over several stores: its answer was recorded in the
 * commit that decided it, and is whole only when all participants have carried it out.
 */
export class TransactionOperationLedger<Answer> implements OperationLedger<Answer | RecordedAnswer> {
  constructor(
    private readonly operations: Pick<SqlOperationLedger, 'findById' | 'findByScope'>,
    private readonly transactions: Pick<SqlTransactionTable, 'findByOperation'>,
    private readonly complete: CompleteAnswer<Answer>,
  ) {}

  findByScope(scope: string): OperationRecord<Answer | RecordedAnswer> | undefined {
    return this.whole(this.operations.findByScope(scope));
  }

  findById(id: string): OperationRecord<Answer | RecordedAnswer> | undefined {
    return this.whole(this.operations.findById(id));
  }

  private whole(
    record: OperationRecord<RecordedAnswer> | undefined,
  ): OperationRecord<Answer | RecordedAnswer> | undefined {
    if (record?.answer === undefined) return record;
    const transaction = this.transactions.findByOperation(record.id);
    if (transaction === undefined) return record;
    const { receipts } = transaction;
    return { ...record, answer: receipts && this.complete(record.answer, transaction, receipts) };
  }
}
