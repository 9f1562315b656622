import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../../test/support/books-database.js';
import { sqliteError } from '../../../../test/support/failing.js';
import { failingDatabase } from '../../../../test/support/failing-database.js';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import { transactionId } from '../../../../test/support/transaction-ids.js';
import { AppError } from '../../../kernel/index.js';
import { type SqlDatabase, SqlTransactionTable } from '../../../platform/sql/index.js';
import type { DecisionDetails } from '../ports.js';
import { SqliteLastResource, type SqlWork } from './sqlite-last-resource.js';

const INSERT = "INSERT INTO books (title, author, price_cents) VALUES (?, 'A', 100)";

describe('SqliteLastResource', () => {
  const clock = new SimulatedClock();
  let directory: string;
  let file: string;
  let database: SqlDatabase;
  let lastResource: SqliteLastResource;
  let commits: number;

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'bookstore.db');
    const crashSites = {
      reach: (site: string): void => {
        if (site === 'sql.commit.before') commits += 1;
      },
    };
    database = await openBooksDatabase(file, { crashSites });
    const table = new SqlTransactionTable(database, { clock, log: new RecordingLog() }, () => false);
    lastResource = new SqliteLastResource(database, table);
    commits = 0;
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const detailsOf = (number: number): DecisionDetails => ({
    id: transactionId(clock.nowMs(), number),
    ...{ kind: 'books-2pc', decidedBy: lastResource.id, incarnation: lastResource.incarnation, by: 'coordinator' },
    ...{ begunAtMs: clock.nowMs(), preparedAtMs: clock.nowMs(), positions: { documents: '1.6' } },
  });
  const insertBook: SqlWork = (scope, { id }) => {
    database.writeHandle.prepare(INSERT).run(id);
    scope.touch('books');
    return `book of ${id}`;
  };
  const books = (): string[] =>
    database.reader.handle.prepare<[], string>('SELECT title FROM books ORDER BY id').pluck().all();
  const decisionOf = async (number: number): Promise<unknown> => {
    const { id } = detailsOf(number);
    return (await lastResource.decisions([id])).get(id);
  };

  it('has the id and the incarnation of its database', async () => {
    expect([lastResource.id, lastResource.incarnation]).toEqual([database.databaseId, database.incarnation]);
    expect([
      lastResource.knowsIncarnation(database.incarnation),
      lastResource.knowsIncarnation(database.epoch),
    ]).toEqual([true, false]);
  });

  it('given 50 transactions of one turn, commits their rows and business rows in one SQL commit', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, number) => lastResource.commit(detailsOf(number), insertBook)),
    );

    const ids = Array.from({ length: 50 }, (_, number) => detailsOf(number).id);
    expect(outcomes).toEqual(ids.map((id) => ({ decision: 'committed', result: `book of ${id}` })));
    expect([commits, books()]).toEqual([1, ids]);
    expect(await lastResource.decisions(ids)).toEqual(new Map(ids.map((id) => [id, 'committed'])));
    expect(database.reader.currentVersion('books').generation).toBe(1);
  });

  it('given business work that throws, rejects with its error and writes neither row nor work', async () => {
    const error = new AppError('conflict', 'no', { retry: 'never' });
    const committing = lastResource.commit(detailsOf(1), (scope, transaction) => {
      insertBook(scope, transaction);
      throw error;
    });
    const [refused] = await Promise.allSettled([committing, lastResource.commit(detailsOf(2), insertBook)]);

    expect(refused).toEqual({ status: 'rejected', reason: error });
    expect([await decisionOf(1), await decisionOf(2), books()]).toEqual([undefined, 'committed', [detailsOf(2).id]]);
    expect(await lastResource.abort([detailsOf(1)])).toEqual(new Map([[detailsOf(1).id, 'aborted']]));
  });

  it('given asynchronous work, refuses it and writes nothing', async () => {
    const committing = lastResource.commit(detailsOf(1), async () => Promise.resolve());

    await expect(committing).rejects.toThrow('must be synchronous');
    expect(await decisionOf(1)).toBeUndefined();
  });

  it('given an abort and a commit of one transaction in one turn, obeys the first', async () => {
    const first = lastResource.abort([detailsOf(1)]);
    const second = lastResource.commit(detailsOf(1), insertBook);
    const third = lastResource.commit(detailsOf(2), insertBook);
    const fourth = lastResource.abort([detailsOf(2)]);

    expect([...(await first).values(), (await second).decision]).toEqual(['aborted', 'aborted']);
    expect([(await third).decision, ...(await fourth).values()]).toEqual(['committed', 'committed']);
    expect(books()).toEqual([detailsOf(2).id]);
  });

  it('given a second commit of a transaction, refuses as conflict and does not run the work again', async () => {
    await lastResource.commit(detailsOf(1), insertBook);

    await expect(lastResource.commit(detailsOf(1), insertBook)).rejects.toMatchObject({ code: 'conflict' });
    expect(books()).toHaveLength(1);
  });

  it('given 1,000 transactions to abort, some of them decided, aborts the rest in one SQL commit and returns all decisions', async () => {
    await lastResource.commit(detailsOf(7), insertBook);
    commits = 0;

    const decisions = await lastResource.abort(Array.from({ length: 1_000 }, (_, number) => detailsOf(number)));

    expect(commits).toBe(1);
    expect(decisions.size).toBe(1_000);
    expect([...decisions].filter(([, decision]) => decision === 'committed')).toEqual([[detailsOf(7).id, 'committed']]);
  });

  it('given an operator’s decision, writes it if there is no row, and returns the decision of the row', async () => {
    expect(await lastResource.decide({ ...detailsOf(1), by: 'operator', reason: 'seen' }, 'committed')).toBe(
      'committed',
    );
    expect(await lastResource.decide(detailsOf(1), 'aborted')).toBe('committed');

    expect(await lastResource.incomplete()).toMatchObject([{ by: 'operator', reason: 'seen', decision: 'committed' }]);
  });

  describe('when SQL refuses', () => {
    let broken: ReturnType<typeof failingDatabase>;
    let refusing: SqliteLastResource;

    beforeEach(() => {
      broken = failingDatabase(database);
      const table = new SqlTransactionTable(broken, { clock, log: new RecordingLog() }, () => false);
      refusing = new SqliteLastResource(broken, table);
    });

    it.each([
      ['is read-only when it begins', 'BEGIN IMMEDIATE', 'SQLITE_READONLY', 'storage-read-only'],
      ['is held by another program', 'BEGIN IMMEDIATE', 'SQLITE_BUSY', 'storage-busy'],
      ['is full at the commit', 'COMMIT', 'SQLITE_FULL', 'storage-full'],
      ['is busy at the commit', 'COMMIT', 'SQLITE_BUSY', 'storage-busy'],
    ])(
      'given a database that %s, refuses both calls of that turn definitely, and a later abort decides',
      async (_, statement, sqlite, code) => {
        broken.writeHandle.onRun(statement, 1, sqliteError(sqlite));
        const outcomes = await Promise.allSettled([
          refusing.commit(detailsOf(1), insertBook),
          refusing.abort([detailsOf(2)]),
        ]);

        const refused = { status: 'rejected', reason: { code, retry: 'safe' } };
        expect(outcomes).toMatchObject([refused, refused]);
        expect([await decisionOf(1), await decisionOf(2), books()]).toEqual([undefined, undefined, []]);
        expect(broken.process.isStopped).toBe(false);
        expect([...(await refusing.abort([detailsOf(1)])).values()]).toEqual(['aborted']);
      },
    );

    it('given a database that is full at the row, refuses as storage-full and continues once there is room', async () => {
      const pages = database.writeHandle.pragma('page_count', { simple: true });
      database.writeHandle.pragma(`max_page_count = ${String(pages)}`);
      const big = { ...detailsOf(1), reason: '.'.repeat(100_000) };

      await expect(refusing.commit(big, insertBook)).rejects.toMatchObject({ code: 'storage-full' });
      database.writeHandle.pragma('max_page_count = 100000');
      expect((await refusing.commit(detailsOf(2), insertBook)).decision).toBe('committed');
      expect(books()).toEqual([detailsOf(2).id]);
    });

    it.each([
      ['before it took effect', false, undefined],
      ['after it took effect', true, 'committed'],
    ])(
      'given a commit that fails %s, rejects with outcome-unknown while the process stops',
      async (_, takesEffect, stands) => {
        broken.writeHandle.onRun('COMMIT', 1, sqliteError('SQLITE_IOERR_FSYNC'), takesEffect);

        await expect(refusing.commit(detailsOf(1), insertBook)).rejects.toMatchObject({
          ...{ code: 'outcome-unknown', retry: 'unknown' },
        });
        expect(broken.process.isStopped).toBe(true);
        if (broken.writeHandle.inTransaction) broken.writeHandle.exec('ROLLBACK');
        expect(await decisionOf(1)).toBe(stands);
      },
    );

    it('given another process that took over the database, refuses as superseded and writes nothing', async () => {
      database.writeHandle.exec('UPDATE meta SET epoch = epoch + 1');

      await expect(refusing.commit(detailsOf(1), insertBook)).rejects.toMatchObject({ code: 'superseded' });
      expect([await decisionOf(1), broken.process.isStopped]).toEqual([undefined, true]);
      database.writeHandle.exec('UPDATE meta SET epoch = epoch - 1');
    });
  });
});
