import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';
import type { DataSource, EntityManager, EntitySubscriberInterface } from 'typeorm';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { failing, sqliteError } from '../../../../test/support/failing.js';
import { NameEntity, openNamesDatabase, sqliteFile, taking } from '../../../../test/support/names-database.js';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { transactionId } from '../../../../test/support/transaction-ids.js';
import { eventually } from '../../../../test/support/eventually.js';
import type { DecisionDetails } from '../ports.js';
import { TypeOrmLastResource } from './typeorm-last-resource.js';

const ACKNOWLEDGEMENTS = { documents: { position: '1.7' } };

describe('TypeOrmLastResource on a SQLite file', () => {
  const clock = new SimulatedClock();
  let directory: string;
  let file: string;
  let dataSource: DataSource;
  let lastResource: TypeOrmLastResource;
  let handle: ReturnType<typeof failing<BetterSqlite3.Database>>;
  let timers: SimulatedTimers;
  let log: RecordingLog;

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'names.db');
    timers = new SimulatedTimers();
    log = new RecordingLog();
    const driver = function openFailing(path: string, options: object): BetterSqlite3.Database {
      handle = failing(new BetterSqlite3(path, options));
      return handle;
    };
    dataSource = await openNamesDatabase(sqliteFile(file, { driver }));
    lastResource = await TypeOrmLastResource.open(dataSource, { clock, timers, log });
  });

  afterEach(async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    removeDirectory(directory);
  });

  const detailsOf = (number: number): DecisionDetails => ({
    id: transactionId(clock.nowMs(), number),
    ...{ kind: 'names', decidedBy: lastResource.id, incarnation: lastResource.incarnation, by: 'coordinator' },
    ...{ begunAtMs: clock.nowMs(), preparedAtMs: clock.nowMs(), positions: {} },
  });
  const commit = (number: number, name: string): Promise<unknown> =>
    lastResource.commit(detailsOf(number), taking(name));
  /** The committed data, read through another connection. */
  const seen = <T>(sql: string): T[] => {
    const other = new BetterSqlite3(file, { readonly: true });
    const found = other.prepare<[], T>(sql).pluck().all();
    other.close();
    return found;
  };
  const names = (): string[] => seen("SELECT name FROM names WHERE name <> 'taken' ORDER BY name");
  const rows = (): string[] => seen('SELECT decision FROM transaction_decisions ORDER BY id');

  it('given the migration, has exactly the schema of the entities, and can revert it', async () => {
    const pending = await dataSource.driver.createSchemaBuilder().log();
    expect(pending.upQueries.map(({ query }) => query)).toEqual([]);

    await dataSource.undoLastMigration();
    await dataSource.undoLastMigration();
    const left = seen("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    expect(left).toEqual(['migrations']);
  });

  it('given another process that opens the database, has the same id and another incarnation', async () => {
    const next = await TypeOrmLastResource.open(dataSource, { log });

    expect(next.id).toBe(lastResource.id);
    expect(next.incarnation).not.toBe(lastResource.incarnation);
    expect(
      await Promise.all([next, lastResource].map(({ incarnation }) => next.knowsIncarnation(incarnation))),
    ).toEqual([true, true]);
  });

  it('given 10,000 incarnations, forgets the oldest when another begins', async () => {
    handle.exec(`DELETE FROM transaction_lives;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO transaction_lives SELECT i, i FROM n`);

    const next = await TypeOrmLastResource.open(dataSource, { clock, log });

    const known = await Promise.all(
      [1, 2, 10_000, next.incarnation].map((incarnation) => next.knowsIncarnation(incarnation)),
    );
    expect([known, seen('SELECT count(*) FROM transaction_lives')]).toEqual([[false, true, true, true], [10_000]]);
  });

  it('given a DataSource that answers a COMMIT before it is on the disk, refuses to open as misconfigured', async () => {
    handle.pragma('synchronous = NORMAL');

    await expect(TypeOrmLastResource.open(dataSource, { log })).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('PRAGMA synchronous'),
    });
  });

  it('given a second commit of a transaction, refuses as conflict and writes nothing', async () => {
    await commit(1, 'a');

    await expect(commit(1, 'b')).rejects.toMatchObject({ code: 'conflict' });
    expect(names()).toEqual(['a']);
  });

  it('given unfinished work, shows readers no committed part of it and lets no other work join it', async () => {
    let finish: (error?: Error) => void = () => undefined;
    let isWorking = false;
    const unfinished = lastResource.commit(detailsOf(1), async (manager, transaction) => {
      await taking('a')(manager, transaction);
      isWorking = true;
      await new Promise<void>((resolve, reject) => (finish = (error) => (error ? reject(error) : resolve())));
    });
    await eventually(() => {
      if (!isWorking) throw new Error('not yet');
    });
    const later = commit(2, 'b');
    const reading = lastResource.decisions([detailsOf(1).id]);
    finish(new Error('no'));

    await expect(unfinished).rejects.toThrow('no');
    await later;
    expect([(await reading).size, names(), rows()]).toEqual([0, ['b'], ['committed']]);
  });

  describe('when SQLite refuses', () => {
    it.each([
      ['busy', 'SQLITE_BUSY', 'storage-busy'],
      ['without room', 'SQLITE_FULL', 'storage-full'],
    ])('given a COMMIT that is refused as %s, refuses definitely and continues', async (_, sqlite, code) => {
      handle.onRun('COMMIT', 1, sqliteError(sqlite));

      await expect(commit(1, 'a')).rejects.toMatchObject({ code, retry: 'safe' });
      expect([names(), rows()]).toEqual([[], []]);
      expect([...(await lastResource.abort([detailsOf(1)])).values()]).toEqual(['aborted']);
      await commit(2, 'b');
      expect([names(), rows()]).toEqual([['b'], ['aborted', 'committed']]);
    });

    it('given an abort whose COMMIT is refused, refuses definitely and accepts the abort again', async () => {
      handle.onRun('COMMIT', 1, sqliteError('SQLITE_FULL'));
      await expect(lastResource.abort([detailsOf(1)])).rejects.toMatchObject({ code: 'storage-full' });
      expect(rows()).toEqual([]);

      await lastResource.abort([detailsOf(1)]);
      expect(rows()).toEqual(['aborted']);
    });

    it('given a full disk during the work, after which SQLite rolls back by itself, commits the next transactions', async () => {
      const pages = handle.pragma('page_count', { simple: true });
      handle.pragma(`max_page_count = ${String(pages)}`);
      await expect(commit(1, 'a'.repeat(100_000))).rejects.toMatchObject({ code: 'storage-full' });
      handle.pragma('max_page_count = 100000');
      await expect(commit(2, 'taken')).rejects.toThrow('UNIQUE');
      await commit(3, 'b');

      expect([names(), rows(), handle.inTransaction]).toEqual([['b'], ['committed'], false]);
    });

    it.each([
      ['before it took effect', false, []],
      ['after it took effect', true, ['committed']],
    ])('given a COMMIT that fails with an I/O error %s, rejects as outcome-unknown', async (_, takesEffect, stands) => {
      handle.onRun('COMMIT', 1, sqliteError('SQLITE_IOERR_FSYNC'), takesEffect);

      await expect(commit(1, 'a')).rejects.toMatchObject({ code: 'outcome-unknown', retry: 'unknown' });
      expect(rows()).toEqual(stands);
    });

    it('given another program that holds the write lock, refuses both as storage-busy', async () => {
      const other = new BetterSqlite3(file);
      other.exec('BEGIN IMMEDIATE');

      await expect(commit(1, 'a')).rejects.toMatchObject({ code: 'storage-busy' });
      await expect(lastResource.abort([detailsOf(1)])).rejects.toMatchObject({ code: 'storage-busy' });
      other.close();
      await commit(1, 'a');
      expect(rows()).toEqual(['committed']);
    });
  });

  /** SQLite rolls the whole transaction back by itself after each of these. */
  describe.each([
    [
      'a full database',
      (manager: EntityManager) => manager.query('INSERT INTO names VALUES (?)', ['x'.repeat(100_000)]),
    ],
    ['ON CONFLICT ROLLBACK', (manager: EntityManager) => manager.query("INSERT INTO once VALUES ('taken')")],
    ['INSERT OR ROLLBACK', (manager: EntityManager) => manager.query("INSERT OR ROLLBACK INTO names VALUES ('taken')")],
    ['a trigger that rolls back', (manager: EntityManager) => manager.query('DELETE FROM once')],
    [
      'ON CONFLICT ROLLBACK in a nested transaction',
      (manager: EntityManager) => manager.transaction((inner) => inner.query("INSERT INTO once VALUES ('taken')")),
    ],
  ])('given an error by which SQLite rolls back, %s', (_, failing) => {
    const before = 'INSERT INTO names VALUES (?)';
    beforeEach(() => {
      handle.exec(`CREATE TABLE once (name TEXT PRIMARY KEY ON CONFLICT ROLLBACK); INSERT INTO once VALUES ('taken');
        CREATE TRIGGER kept BEFORE DELETE ON once BEGIN SELECT RAISE(ROLLBACK, 'it stays'); END`);
      const pages = handle.pragma('page_count', { simple: true }) as number;
      handle.pragma(`max_page_count = ${String(pages + 4)}`);
    });

    it.each([0, 1, 2, 3])(
      'that `decide` swallows after %i statements, refuses the transaction and writes none of its statements',
      async (position) => {
        const swallowing = lastResource.commit(detailsOf(1), async (manager) => {
          for (let at = 0; at <= 3; at += 1) {
            if (at === position) await failing(manager).catch(() => undefined);
            await manager.query(before, [`name ${String(at)}`]).catch(() => undefined);
          }
        });

        await expect(swallowing).rejects.toMatchObject({
          code: expect.stringMatching(/conflict|storage-full|internal/),
        });
        expect([names(), rows(), handle.inTransaction]).toEqual([[], [], false]);
        await commit(2, 'b');
        expect([names(), rows()]).toEqual([['b'], ['committed']]);
      },
    );
  });

  describe('given a `decide` that writes through the DataSource instead of its manager', () => {
    it.each([
      ['the manager of the DataSource', () => dataSource.manager.insert(NameEntity, { name: 'beside' })],
      ['a repository', () => dataSource.getRepository(NameEntity).save({ name: 'beside' })],
      ['a raw query', () => dataSource.query("INSERT INTO names VALUES ('beside')")],
      ['a transaction', () => dataSource.transaction((manager) => manager.insert(NameEntity, { name: 'beside' }))],
      ['a ROLLBACK', () => dataSource.query('ROLLBACK')],
    ])('by %s, refuses that statement and keeps the transaction whole', async (_, beside) => {
      const refused: unknown[] = [];
      await lastResource.commit(detailsOf(1), async (manager) => {
        await manager.insert(NameEntity, { name: 'a' });
        await beside().catch((error: unknown) => refused.push(error));
        await manager.insert(NameEntity, { name: 'b' });
      });

      expect(String(refused[0])).toContain('a transaction is being decided on this DataSource');
      expect([names(), rows(), handle.inTransaction]).toEqual([['a', 'b'], ['committed'], false]);
      await commit(2, 'c');
      expect(names()).toEqual(['a', 'b', 'c']);
    });

    it('in an open transaction, refuses to decide as storage-busy and does not touch that transaction', async () => {
      await dataSource.transaction(async (manager) => {
        await manager.insert(NameEntity, { name: 'theirs' });
        await expect(commit(1, 'a')).rejects.toMatchObject({ code: 'storage-busy' });
      });

      expect([names(), rows()]).toEqual([['theirs'], []]);
    });
  });

  it('given a subscriber that fails after the COMMIT, answers committed and logs the failure', async () => {
    const subscriber = {
      afterTransactionCommit: () => {
        throw new Error('too late');
      },
    };
    dataSource.subscribers.push(subscriber);

    await expect(commit(1, 'a')).resolves.toMatchObject({ decision: 'committed' });
    expect([names(), rows(), log.warnings.length]).toEqual([['a'], ['committed'], 1]);
  });

  it('given a subscriber that writes before the COMMIT, commits that write too', async () => {
    const subscriber: EntitySubscriberInterface = {
      beforeTransactionCommit: ({ manager }) => manager.insert(NameEntity, { name: 'noted' }),
    };
    dataSource.subscribers.push(subscriber);
    await commit(1, 'a');

    expect([names(), rows()]).toEqual([['a', 'noted'], ['committed']]);
  });

  it('given a DataSource of an unsupported kind, refuses to open as misconfigured', async () => {
    const other = { options: { type: 'mysql' } } as DataSource;

    await expect(TypeOrmLastResource.open(other, { log })).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('mysql'),
    });
  });

  describe('given completed transactions', () => {
    const completed = (): number[] =>
      seen('SELECT count(*) FROM transaction_decisions WHERE completed_at_ms IS NOT NULL');

    it('makes them durable together within a second', async () => {
      await commit(1, 'a');
      await commit(2, 'b');
      lastResource.completed(detailsOf(1).id, ACKNOWLEDGEMENTS);
      lastResource.completed(detailsOf(2).id, ACKNOWLEDGEMENTS);
      expect([await lastResource.incomplete(), completed()]).toEqual([[], [0]]);
      timers.pass(1_000);

      await eventually(() => {
        expect(completed()).toEqual([2]);
      });
      await eventually(() => {
        expect(timers.pending).toBe(0);
      });
    });

    it('given a database that refuses it, logs this and tries again every second', async () => {
      await commit(1, 'a');
      lastResource.completed(detailsOf(1).id, ACKNOWLEDGEMENTS);
      handle.onRun('COMMIT', 1, sqliteError('SQLITE_BUSY'));
      timers.pass(1_000);
      await eventually(() => {
        expect([log.warnings.length, timers.pending]).toEqual([1, 1]);
      });
      expect(completed()).toEqual([0]);
      timers.pass(1_000);

      await eventually(() => {
        expect(completed()).toEqual([1]);
      });
    });

    it('makes them durable when it is closed, and leaves no timer behind', async () => {
      await commit(1, 'a');
      lastResource.completed(detailsOf(1).id, ACKNOWLEDGEMENTS);
      await lastResource.close();

      expect([completed(), timers.pending]).toEqual([[1], 0]);
    });

    it('given the order to forget those decided before a time, forgets no others', async () => {
      await commit(1, 'a');
      await commit(2, 'b');
      const earlier = clock.nowMs();
      clock.advance(10);
      const late = detailsOf(3);
      await lastResource.commit(late, taking('c'));
      for (const id of [transactionId(earlier, 1), late.id]) lastResource.completed(id, ACKNOWLEDGEMENTS);
      await lastResource.close();

      expect(await lastResource.forgetCompleted(earlier + 1)).toBe(1);
      expect(seen('SELECT id FROM transaction_decisions ORDER BY id')).toEqual([transactionId(earlier, 2), late.id]);
    });
  });
});
