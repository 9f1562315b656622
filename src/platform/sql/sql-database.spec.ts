import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../test/support/books-database.js';
import { OtherProcess } from '../../../test/support/other-process.js';
import { NodeDisk } from '../disk/index.js';
import { acceptMissingCommits, type SqlDatabase, type SqlVersion } from './index.js';

const MOVE_GENERATION = `
  const handle = new (require('better-sqlite3'))(process.argv[1]);
  handle.exec("INSERT INTO generations VALUES ('books', 41) ON CONFLICT DO UPDATE SET generation = 41");
  handle.close();
`;
const PAGE_BYTES = 4_096;
const FLOOD = "INSERT INTO books (title, author, price_cents) VALUES ('T', 'A', 1)";

describe('SqlDatabase', () => {
  let directory: string;
  let file: string;
  let open: SqlDatabase[];
  let nowMs: number;

  const openOne = async (): Promise<SqlDatabase> => {
    const database = await openBooksDatabase(file, { monotonicMs: () => nowMs });
    open.push(database);
    return database;
  };

  beforeEach(() => {
    directory = temporaryDirectory();
    file = join(directory, 'bookstore.db');
    open = [];
    nowMs = 0;
  });

  afterEach(async () => {
    for (const database of open) await database.close();
    rmSync(directory, { recursive: true });
  });

  it('given the migrations, has exactly the schema that the entities describe', async () => {
    const { writeSource } = await openOne();

    const pending = await writeSource.driver.createSchemaBuilder().log();

    expect(pending.upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('given the migrations, can revert them all and run them again', async () => {
    const { writeSource, databaseId, epoch } = await openOne();
    const count = writeSource.migrations.length;

    for (let migration = 0; migration < count; migration += 1) await writeSource.undoLastMigration();
    const left = await writeSource.query<{ name: string }[]>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );

    expect(left).toEqual([{ name: 'migrations' }]);
    expect(await writeSource.runMigrations()).toHaveLength(count);
    await writeSource.query('INSERT INTO meta (id, database_id, epoch) VALUES (1, ?, ?)', [databaseId, epoch]);
  });

  it('given the log of a killed process beside another copy of its file, refuses the result', async () => {
    const first = await openOne();
    const flood = (count: number): Promise<void> =>
      first.writer.run(() => {
        for (let n = 0; n < count; n += 1) first.writeHandle.exec(FLOOD);
      });
    await flood(2_000);
    first.writeHandle.pragma('wal_checkpoint(TRUNCATE)');
    await flood(1);
    const older = join(directory, 'older.db');
    // As a page is that one of them has put elsewhere.
    writeFileSync(older, readFileSync(file).fill(0, 12 * PAGE_BYTES, 14 * PAGE_BYTES));
    copyFileSync(`${file}-wal`, `${older}-wal`);

    await expect(openBooksDatabase(older)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringContaining('without older.db-wal and older.db-shm beside it'),
    });
  });

  it('given a refused start, leaves nothing beside its file', async () => {
    const database = await openOne();
    await database.writer.run(() => database.writeHandle.exec(FLOOD));
    expect(existsSync(`${file}-wal`)).toBe(true);
    await database.abandon();

    expect(['-wal', '-shm', '.commits'].map((ending) => existsSync(`${file}${ending}`))).toEqual([false, false, false]);
    open = [];
    const second = await openOne();
    expect(second.epoch).toBe(2);
    await second.abandon();
    open = [];
    expect((await openOne()).epoch).toBe(3);
  });

  it('closed after another process has taken over, stops the process before it touches the log of that one', async () => {
    const logBytes: number[] = [];
    // In an app, this does not return.
    const stop = (): void => void logBytes.push(statSync(`${file}-wal`).size);
    const superseded = await openBooksDatabase(file, { process: { stop } });
    const owner = await openOne();
    await owner.writer.run(() => owner.writeHandle.exec(FLOOD));
    const { size } = statSync(`${file}-wal`);
    await superseded.close();

    expect([logBytes, size > 0]).toEqual([[size], true]);
  });

  describe('that another process has taken over', () => {
    let stops: string[];
    let superseded: SqlDatabase;
    let owner: SqlDatabase;

    beforeEach(async () => {
      stops = [];
      const process = { stop: (reason: string): void => void stops.push(reason) };
      superseded = await openBooksDatabase(file, { process, monotonicMs: () => nowMs });
      superseded.reader.currentVersion('books');
      superseded.reader.assertOwned();
      owner = await openOne();
    });

    it('given 250 ms since its last look, refuses what caches and memory would answer, and stops', () => {
      nowMs += 250;
      expect(superseded.reader.currentVersion('books').generation).toBe(0);
      superseded.reader.assertOwned();
      expect(stops).toEqual([]);
      nowMs += 1;

      expect(() => superseded.reader.currentVersion('books')).toThrow(/incarnation .* has begun/);
      expect(stops).toHaveLength(1);
    });

    it('given 250 ms since its last look and no question of a cache, refuses all the same', () => {
      nowMs += 251;

      expect(() => {
        superseded.reader.assertOwned();
      }).toThrow(expect.objectContaining({ code: 'superseded' }));
      expect(stops).toHaveLength(1);
    });

    it('given a commit of its own that it is told of, looks at once', () => {
      superseded.reader.noticeCommit();

      expect(() => superseded.reader.currentVersion('books')).toThrow(/has begun/);
    });

    it('given a load, does not take the data of its successor for its own', async () => {
      await owner.writer.run(({ touch }) => {
        touch('books');
      });

      expect(() => superseded.reader.loadVersioned('books', () => 'their data')).toThrow(/has begun/);
      expect(superseded.reader.handle.inTransaction).toBe(false);
    });

    afterEach(() => superseded.close());
  });

  it('given a restart, keeps its id and takes the next epoch', async () => {
    const first = await openOne();
    await first.close();
    const second = await openOne();

    expect(second.databaseId).toBe(first.databaseId);
    expect([first.epoch, second.epoch]).toEqual([1, 2]);
  });

  it('given a restart, begins another incarnation, knows the earlier ones, and a copy does not know the later ones', async () => {
    const first = await openOne();
    await first.close();
    const copy = join(directory, 'copy.db');
    copyFileSync(file, copy);
    copyFileSync(`${file}.commits`, `${copy}.commits`);
    const second = await openOne();
    const ofCopy = await openBooksDatabase(copy);
    open.push(ofCopy);

    expect(new Set([first.incarnation, second.incarnation, ofCopy.incarnation]).size).toBe(3);
    const all = [first.incarnation, second.incarnation, ofCopy.incarnation];
    expect(all.map((incarnation) => second.knowsIncarnation(incarnation))).toEqual([true, true, false]);
    expect(all.map((incarnation) => ofCopy.knowsIncarnation(incarnation))).toEqual([true, false, true]);
  });

  it('given 10,000 incarnations, forgets the oldest when another begins', async () => {
    await (await openOne()).close();
    const handle = new BetterSqlite3(file);
    handle.exec(`DELETE FROM lives;
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO lives SELECT i, i FROM n`);
    await acceptMissingCommits(new NodeDisk(), file);

    const next = await openOne();

    expect([1, 2, 10_000, next.incarnation].map((incarnation) => next.knowsIncarnation(incarnation))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(handle.prepare('SELECT count(*) FROM lives').pluck().get()).toBe(10_000);
    handle.close();
  });

  it('given its connections, writes durably at every commit and never on the reading one', async () => {
    const { writeHandle, reader } = await openOne();

    expect(writeHandle.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(writeHandle.pragma('synchronous', { simple: true })).toBe(2);
    expect(() => reader.handle.exec(FLOOD)).toThrow('attempt to write a readonly database');
  });

  it.each([
    ['the write lock', 'BEGIN IMMEDIATE'],
    ['the whole file', 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE'],
  ])('given another holder of %s, refuses to open as storage-busy and names the file', async (_, hold) => {
    await (await openOne()).close();
    const holder = new BetterSqlite3(file);
    holder.exec(hold);

    const message = expect.stringContaining(`${file} is locked by another program: close that program`);
    await expect(openOne()).rejects.toMatchObject({ code: 'storage-busy', message });
    holder.close();
  });

  it('given another holder of the write lock before there are tables, refuses to open as storage-busy and names the file', async () => {
    const holder = new BetterSqlite3(file);
    holder.exec('CREATE TABLE another (id); BEGIN IMMEDIATE');

    const message = expect.stringContaining(file);
    await expect(openOne()).rejects.toMatchObject({ code: 'storage-busy', message });
    holder.close();
  });

  it('given a file that is not a database, refuses to open as data-corrupt and names the file', async () => {
    writeFileSync(file, 'no database '.repeat(100));

    await expect(openOne()).rejects.toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(file) });
  });

  describe('its reader', () => {
    it('given a table without a change, is at generation 0', async () => {
      expect((await openOne()).reader.currentVersion('books').generation).toBe(0);
    });

    it('given a commit on another connection, returns the new generation', async () => {
      const { reader, writer } = await openOne();
      reader.currentVersion('books');

      await writer.run((scope) => {
        scope.touch('books');
      });

      expect(reader.currentVersion('books').generation).toBe(1);
    });

    it('given a commit of another process, returns the new generation once 250 ms have gone by since its last look', async () => {
      const { reader } = await openOne();
      reader.currentVersion('books');

      const other = new OtherProcess(MOVE_GENERATION, [file]);
      await other.exited;

      const generations = [250, 251].map((ms) => {
        nowMs = ms;
        return reader.currentVersion('books').generation;
      });
      expect([other.printed, ...generations]).toEqual(['', 0, 41]);
    });

    it('given no commit, does not ask for the version again, and gives the same object', async () => {
      const { reader } = await openOne();
      let asked = 0;
      const counting = reader as unknown as { version: { get: (table: string) => unknown } };
      const real = counting.version;
      counting.version = {
        get: (table) => {
          asked += 1;
          return real.get(table);
        },
      };

      const versions = Array.from({ length: 5 }, () => reader.currentVersion('books'));

      expect([asked, new Set(versions).size]).toEqual([1, 1]);
    });

    it('given a commit between the generation and the data, loads both from before it', async () => {
      const { reader } = await openOne();
      const other = new BetterSqlite3(file);
      const count = reader.handle.prepare<[], number>('SELECT count(*) FROM books').pluck();

      const loaded = reader.loadVersioned('books', () => {
        other.exec(`BEGIN; ${FLOOD}; INSERT INTO generations VALUES ('books', 1); COMMIT`);
        return count.get();
      });

      expect(loaded).toEqual({ version: { incarnation: expect.any(String), generation: 0 }, value: 0 });
      expect([reader.currentVersion('books').generation, count.get()]).toEqual([1, 1]);
      other.close();
    });

    it('given a start on an older copy, is at another version, although epoch and generation repeat', async () => {
      const versionsOf = async (path: string): Promise<readonly [number, SqlVersion]> => {
        const { reader, writer, epoch, close } = await openBooksDatabase(path).then((database) => ({
          ...{ reader: database.reader, writer: database.writer, epoch: database.epoch },
          close: () => database.close(),
        }));
        await writer.run((scope) => {
          scope.touch('books');
        });
        const version = reader.currentVersion('books');
        await close();
        return [epoch, version];
      };
      await versionsOf(file);
      const copy = join(directory, 'copy.db');
      for (const ending of ['', '.commits']) copyFileSync(`${file}${ending}`, `${copy}${ending}`);

      const [[epoch, version], [epochOfCopy, versionOfCopy]] = [await versionsOf(file), await versionsOf(copy)];

      expect([epochOfCopy, versionOfCopy.generation]).toEqual([epoch, version.generation]);
      expect(versionOfCopy.incarnation).not.toBe(version.incarnation);
    });

    it('given a second start on the file, has another incarnation, and lists the former one', async () => {
      const before = (await openOne()).reader.currentVersion('books').incarnation;

      const second = await openOne();

      expect(second.reader.currentVersion('books').incarnation).not.toBe(before);
      expect(second.formerIncarnations(5)).toEqual([before]);
    });

    it('given a load that throws, leaves no transaction open', async () => {
      const { reader } = await openOne();

      expect(() =>
        reader.loadVersioned('books', () => {
          throw new Error('no');
        }),
      ).toThrow('no');
      expect(reader.handle.inTransaction).toBe(false);
    });

    it('given a load whose failure ended the transaction, as an I/O error does, throws that failure', async () => {
      const { reader } = await openOne();

      expect(() =>
        reader.loadVersioned('books', () => {
          reader.handle.exec('ROLLBACK');
          throw new Error('disk I/O error');
        }),
      ).toThrow('disk I/O error');
    });
  });
});
