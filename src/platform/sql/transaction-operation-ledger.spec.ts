import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { transactionId } from '../../../test/support/transaction-ids.js';
import {
  type RecordedAnswer,
  type SqlDatabase,
  SqlOperationLedger,
  SqlTransactionTable,
  TransactionOperationLedger,
} from './index.js';

const ANSWER: RecordedAnswer = { status: 201, headers: { location: '/books/1' }, body: '{"book":{"id":1}}' };
const ACKNOWLEDGEMENTS = {
  documents: { position: '3.7', outcome: { customersUpdated: 2 } },
  other: { position: '9.9' },
};

describe('TransactionOperationLedger', () => {
  let directory: string;
  let database: SqlDatabase;
  let operations: SqlOperationLedger;
  let transactions: SqlTransactionTable;
  let ledger: TransactionOperationLedger<unknown>;
  const clock = new SimulatedClock();

  beforeEach(async () => {
    directory = temporaryDirectory();
    database = await openBooksDatabase(join(directory, 'bookstore.db'));
    operations = new SqlOperationLedger(database, clock);
    transactions = new SqlTransactionTable(database, { clock, log: new RecordingLog() }, () => false);
    ledger = new TransactionOperationLedger(operations, transactions, (...known) => known);
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const record = (): Promise<void> =>
    database.writer.run(() => {
      operations.record({ operation: { id: 'op', scope: 'key', bodyHmac: 'hmac' }, answerOf: () => ANSWER }, undefined);
    });
  const decide = (): Promise<unknown> =>
    database.writer.run(() =>
      transactions.insert(
        {
          ...{
            id: transactionId(clock.nowMs(), 1),
            kind: 'test',
            decidedBy: database.databaseId,
            incarnation: 1,
            by: 'coordinator',
          },
          ...{ begunAtMs: 1, preparedAtMs: 2, positions: { documents: '3.5' }, operationId: 'op' },
        },
        'committed',
      ),
    );
  const complete = (): void => {
    transactions.complete(transactionId(clock.nowMs(), 1), ACKNOWLEDGEMENTS);
  };

  it('given an operation that is not a transaction, returns the recorded answer', async () => {
    await record();

    expect(ledger.findById('op')).toEqual(operations.findById('op'));
    expect(ledger.findByScope('key')?.answer).toEqual(ANSWER);
    expect([ledger.findById('another'), ledger.findByScope('another')]).toEqual([undefined, undefined]);
  });

  it('given a completed transaction, returns the answer made from the recorded one, its row and the acknowledgements', async () => {
    await record();
    await decide();
    complete();

    const row = expect.objectContaining({ kind: 'test', positions: { documents: '3.5' } });
    const answer = [ANSWER, row, ACKNOWLEDGEMENTS];
    expect(ledger.findByScope('key')).toEqual({ id: 'op', bodyHmac: 'hmac', atMs: clock.nowMs(), answer });
    expect(ledger.findById('op')?.answer).toEqual(answer);
  });

  it('given a transaction that is not completed, reports it as committed with an unknown answer', async () => {
    await record();
    await decide();

    const known = { id: 'op', bodyHmac: 'hmac', atMs: clock.nowMs(), answer: undefined };
    expect(ledger.findByScope('key')).toEqual(known);
    expect(ledger.findById('op')).toEqual(known);
  });
});
