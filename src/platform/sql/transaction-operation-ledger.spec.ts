import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { transactionId } from '../../../test/support/transaction-ids.js';
import type { Answer } from '../../kernel/index.js';
import { type SqlDatabase, SqlOperationLedger, SqlTransactionTable, TransactionOperationLedger } from './index.js';

const ANSWER: Answer = { status: 201, headers: { location: '/books/1' }, body: '{"book":{"id":1}}' };
const RECEIPTS = { documents: { place: '3.7', outcome: { customersUpdated: 2 } }, other: { place: '9.9' } };

describe('TransactionOperationLedger', () => {
  let directory: string;
  let database: SqlDatabase;
  let operations: SqlOperationLedger;
  let transactions: SqlTransactionTable;
  let ledger: TransactionOperationLedger;
  const clock = new SimulatedClock();

  beforeEach(async () => {
    directory = temporaryDirectory();
    database = await openBooksDatabase(join(directory, 'bookstore.db'));
    operations = new SqlOperationLedger(database, clock);
    transactions = new SqlTransactionTable(database, { clock, log: new RecordingLog() }, () => false);
    ledger = new TransactionOperationLedger(operations, transactions, {
      replicatedParticipant: 'documents',
      completeBody: {
        'books-2pc': (body, { documents }) => ({ ...(body as object), ...documents?.outcome }),
      },
    });
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const record = (answer = ANSWER): Promise<void> =>
    database.writer.run(() => {
      operations.record({ id: 'op', scope: 'key', bodyHmac: 'hmac' }, answer);
    });
  const decide = (kind = 'books-2pc', places: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    database.writer.run(() =>
      transactions.insert(
        {
          ...{ id: transactionId(clock.nowMs(), 1), kind, decidedBy: database.databaseId, life: 1, by: 'coordinator' },
          ...{ begunAtMs: 1, preparedAtMs: 2, places, operationId: 'op' },
        },
        'committed',
      ),
    );
  const complete = (): void => {
    transactions.complete(transactionId(clock.nowMs(), 1), RECEIPTS);
  };

  it('given an operation that is no transaction, says what was recorded', async () => {
    await record();

    expect(ledger.findById('op')).toEqual(operations.findById('op'));
    expect(ledger.findByScope('key')?.answer).toEqual(ANSWER);
    expect([ledger.findById('another'), ledger.findByScope('another')]).toEqual([undefined, undefined]);
  });

  it('given a transaction that is completed, answers with the receipts in its body and the place of the replicated one', async () => {
    await record();
    await decide();
    complete();

    const answer = {
      status: 201,
      headers: { location: '/books/1', 'x-commit': '3.7' },
      body: '{"book":{"id":1},"customersUpdated":2}',
    };
    expect(ledger.findByScope('key')).toEqual({ id: 'op', bodyHmac: 'hmac', atMs: clock.nowMs(), answer });
    expect(ledger.findById('op')?.answer).toEqual(answer);
  });

  it('given a completed one whose promise has a place, says that replicas were asked for that', async () => {
    await record();
    await decide('books-2pc', { documents: '3.5' });
    complete();

    expect(ledger.findById('op')?.answer).toMatchObject({ headers: { 'x-commit': '3.7' }, promisedAt: '3.5' });
  });

  it('given one that is not, answers 202 with the address to ask', async () => {
    await record();
    await decide();

    const answer = {
      status: 202,
      headers: { location: '/operations/op' },
      body: '{"operationId":"op","state":"committed"}',
    };
    expect(ledger.findByScope('key')).toEqual({ id: 'op', bodyHmac: 'hmac', atMs: clock.nowMs(), answer });
  });

  it('given a completed one of a kind without anything to add, or without a body, leaves the body as it was', async () => {
    await record({ ...ANSWER, body: null });
    await decide();
    complete();

    expect(ledger.findById('op')?.answer.body).toBeNull();
    expect(
      new TransactionOperationLedger(operations, transactions, {
        replicatedParticipant: 'documents',
        completeBody: {},
      }).findById('op')?.answer,
    ).toEqual({ status: 201, headers: { location: '/books/1', 'x-commit': '3.7' }, body: null });
  });
});
