import type { Acknowledgements, DecisionRow, OperationLedger, OperationRecord } from '../../kernel/index.js';
import type { RecordedAnswer, SqlOperationLedger } from './sql-operation-ledger.js';
import type { SqlTransactionTable } from './sql-transaction-table.js';

/** Adds the parts of a transaction's answer that only the participants' acknowledgements contain. */
export type CompleteAnswer<Answer> = (
  recorded: RecordedAnswer,
  transaction: DecisionRow,
  acknowledgements: Acknowledgements,
) => Answer;

/**
 * The operations of the SQL file, including transactions over several stores: a transaction's answer is recorded in the deciding
 * commit, and is whole only when all participants have carried it out.
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
    const { acknowledgements } = transaction;
    return { ...record, answer: acknowledgements && this.complete(record.answer, transaction, acknowledgements) };
  }
}
