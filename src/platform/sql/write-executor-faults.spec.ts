import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase, SOUND } from '../../../test/support/books-database.js';
import { failing, sqliteError } from '../../../test/support/failing.js';
import { OtherProcess } from '../../../test/support/other-process.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import type { SqlDatabase, SqlHandle } from './index.js';
import { SqlWriteExecutor } from './write-executor.js';

const HOLD_WRITE_LOCK = `
  const handle = new (require('better-sqlite3'))(process.argv[1]);
  handle.exec('BEGIN IMMEDIATE');
  console.log('held');
  process.stdin.once('data', () => { handle.exec('ROLLBACK'); handle.close(); process.exit(0); });
`;

describe('SqlWriteExecutor, when writing fails', () => {
  let directory: string;
  let file: string;
  let database: SqlDatabase;
  let control: RecordingProcessControl;
  let timers: SimulatedTimers;

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'bookstore.db');
    control = new RecordingProcessControl();
    timers = new SimulatedTimers();
    database = await openBooksDatabase(file, { process: control });
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const executorOn = (handle: SqlHandle): SqlWriteExecutor =>
    new SqlWriteExecutor(
      { nextTurn: setImmediate, timers, crashSites: NO_CRASH_SITES, process: control, guard: SOUND },
      handle,
      database.epoch,
      () => undefined,
    );
  const insert = (handle: SqlHandle, title: string): unknown =>
    handle.prepare("INSERT INTO books (title, author, price_cents) VALUES (?, 'A', 100)").run(title.padEnd(3_000, '.'));
  const writeOn = (executor: SqlWriteExecutor, handle: SqlHandle, titles: readonly string[]): Promise<string[]> =>
    Promise.all(
      titles.map((title) =>
        executor
          .run(() => insert(handle, title))
          .then(
            () => 'acknowledged',
            (error: { code: string; retry: string }) => `${error.code} ${error.retry}`,
          ),
      ),
    );
  const write = (...titles: string[]): Promise<string[]> => writeOn(database.writer, database.writeHandle, titles);
  const committed = (): string[] => {
    const handle = new BetterSqlite3(file, { readonly: true });
    const titles = handle.prepare<[], string>("SELECT rtrim(title, '.') FROM books ORDER BY id").pluck().all();
    handle.close();
    return titles;
  };

  describe('given a full database (max_page_count)', () => {
    const fill = async (): Promise<void> => {
      // The migrations have left free pages.
      database.writeHandle.exec('VACUUM');
      const pages = database.writeHandle.pragma('page_count', { simple: true }) as number;
      database.writeHandle.pragma(`max_page_count = ${String(pages + 1)}`);
      await write('last that fits');
    };

    it('refuses as storage-full, keeps nothing and does not stop', async () => {
      await fill();

      expect(await write('a', 'b', 'c')).toEqual(Array(3).fill('storage-full safe'));
      expect(committed()).toEqual(['last that fits']);
      expect(control.isStopped).toBe(false);
    });

    it('given room again, writes again', async () => {
      await fill();
      await write('refused');
      database.writeHandle.pragma('max_page_count = 100000');

      expect(await write('a')).toEqual(['acknowledged']);
      expect(committed()).toEqual(['last that fits', 'a']);
    });
  });

  describe('given an error after which SQLite rolls back the whole commit', () => {
    const rollingBack = (): unknown =>
      database.writeHandle
        .prepare("INSERT OR ROLLBACK INTO books (title, author, price_cents) VALUES ('b', 'A', -1)")
        .run();
    const told = (work: () => unknown): Promise<string> =>
      database.writer.run(work).then(
        () => 'acknowledged',
        (error: { code: string; retry?: string }) => `${error.code} ${String(error.retry)}`,
      );

    it('rejects the failing work with its error, tells all other work to retry, and keeps nothing', async () => {
      const all = Promise.all([write('a'), told(rollingBack), write('c')]);

      expect(await all).toEqual([['storage-busy safe'], 'SQLITE_CONSTRAINT_CHECK undefined', ['storage-busy safe']]);
      expect([committed(), control.isStopped]).toEqual([[], false]);
      expect([await write('d'), committed()]).toEqual([['acknowledged'], ['d']]);
    });

    it('and work that swallows it, refuses each later statement and keeps nothing of that work', async () => {
      const swallowing = (): unknown => {
        expect(rollingBack).toThrow('CHECK');
        expect(() => insert(database.writeHandle, 'alone')).toThrow('no transaction');
        return 'went on';
      };

      expect(await Promise.all([write('a'), told(swallowing)])).toEqual([['storage-busy safe'], 'undefined undefined']);
      expect([committed(), control.isStopped]).toEqual([[], false]);
      expect(await write('d')).toEqual(['acknowledged']);
    });
  });

  it('given a disk that is full only at the commit, refuses as storage-full, keeps nothing, does not stop and continues', async () => {
    const handle = failing(database.writeHandle);
    const executor = executorOn(handle);
    handle.onRun('COMMIT', 1, sqliteError('SQLITE_FULL'));

    expect(await writeOn(executor, handle, ['a', 'b'])).toEqual(Array(2).fill('storage-full safe'));
    expect(control.isStopped).toBe(false);
    expect(await writeOn(executor, handle, ['c'])).toEqual(['acknowledged']);
    expect(committed()).toEqual(['c']);
  });

  it('given an unwritable file, refuses as storage-read-only and keeps nothing', async () => {
    const readOnly = new BetterSqlite3(file, { readonly: true });

    expect(await writeOn(executorOn(readOnly), readOnly, ['a'])).toEqual(['storage-read-only safe']);
    expect(committed()).toEqual([]);
    expect(control.isStopped).toBe(false);
    readOnly.close();
  });

  it('given another process that holds the write lock, refuses as storage-busy, keeps nothing, and writes after its release', async () => {
    const holder = new OtherProcess(HOLD_WRITE_LOCK, [file]);
    try {
      await holder.prints('held');

      expect(await write('a', 'b')).toEqual(Array(2).fill('storage-busy safe'));
      holder.tell('let go');
      await holder.exited;
      expect(await write('c')).toEqual(['acknowledged']);
    } finally {
      await holder.end();
    }
    expect(committed()).toEqual(['c']);
    expect(control.isStopped).toBe(false);
  });

  it.each([
    ['SQLITE_BUSY', 'storage-busy safe'],
    ['SQLITE_BUSY_SNAPSHOT', 'storage-busy safe'],
  ])('given a COMMIT that fails with %s, refuses as %s, keeps nothing and does not stop', async (code, told) => {
    const handle = failing(database.writeHandle);
    handle.onRun('COMMIT', 1, sqliteError(code));

    expect(await writeOn(executorOn(handle), handle, ['a', 'b'])).toEqual([told, told]);
    expect(committed()).toEqual([]);
    expect(control.isStopped).toBe(false);
  });

  it.each([
    ['before it takes effect', false],
    ['after it took effect', true],
  ])(
    'given a COMMIT that fails with an I/O error %s, stops the process and acknowledges nothing',
    async (_, hasEffect) => {
      const handle = failing(database.writeHandle);
      const executor = executorOn(handle);
      handle.onRun('COMMIT', 2, sqliteError('SQLITE_IOERR_FSYNC'), hasEffect);
      await writeOn(executor, handle, ['before']);

      expect(await writeOn(executor, handle, ['a', 'b'])).toEqual(Array(2).fill('outcome-unknown unknown'));
      expect(control.stops).toHaveLength(1);
      if (handle.inTransaction) handle.exec('ROLLBACK');
      expect(committed()).toEqual(hasEffect ? ['before', 'a', 'b'] : ['before']);
    },
  );

  it('given an epoch that has moved on, stops the process, acknowledges nothing and keeps nothing', async () => {
    const successor = new BetterSqlite3(file);
    successor.exec('UPDATE meta SET epoch = epoch + 1');
    successor.close();

    expect(await write('a', 'b')).toEqual(Array(2).fill('superseded unknown'));
    expect(control.stops).toHaveLength(1);
    expect(committed()).toEqual([]);
    database.writeHandle.exec('UPDATE meta SET epoch = epoch - 1');
  });
});
