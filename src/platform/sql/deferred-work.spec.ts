import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openBooksDatabase, SOUND } from '../../../test/support/books-database.js';
import { failing, sqliteError } from '../../../test/support/failing.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import type { SqlDatabase } from './index.js';
import { SqlWriteExecutor } from './write-executor.js';

const AT_MOST_MS = 1_000;
const INSERT = "INSERT INTO books (title, author, price_cents) VALUES (?, 'A', 100)";

describe('SqlWriteExecutor, with deferred work', () => {
  let directory: string;
  let database: SqlDatabase;
  let timers: SimulatedTimers;
  let executor: SqlWriteExecutor;
  let handle: ReturnType<typeof failing<SqlDatabase['writeHandle']>>;
  let commits: number;
  let told: unknown[];

  beforeEach(async () => {
    directory = temporaryDirectory();
    database = await openBooksDatabase(join(directory, 'bookstore.db'));
    timers = new SimulatedTimers();
    handle = failing(database.writeHandle);
    commits = 0;
    told = [];
    const crashSites = {
      reach: (site: string): void => {
        if (site === 'sql.commit.before') commits += 1;
      },
    };
    const ports = { nextTurn: setImmediate, timers, crashSites, process: new RecordingProcessControl(), guard: SOUND };
    executor = new SqlWriteExecutor(ports, handle, database.epoch, () => undefined);
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const insert = (title: string): unknown => handle.prepare(INSERT).run(title);
  const write = (title: string): Promise<unknown> => executor.run(() => insert(title));
  const defer = (title: string): void => {
    executor.defer(
      () => {
        insert(title);
      },
      (error) => told.push(error === undefined ? `${title} is durable` : error),
    );
  };
  const committed = (): string[] =>
    database.reader.handle.prepare<[], string>('SELECT title FROM books ORDER BY id').pluck().all();

  it('given a later write, joins its commit and is notified', async () => {
    defer('later');
    expect([committed(), told]).toEqual([[], []]);

    await write('a');

    expect([committed(), told, commits]).toEqual([['later', 'a'], ['later is durable'], 1]);
    expect(timers.pending).toBe(0);
  });

  it('given a write alone, joins its commit without a savepoint', async () => {
    const savepoint = new Error('a savepoint was set');
    handle.onRun('SAVEPOINT work', 1, savepoint);
    defer('later');

    await write('a');

    expect([committed(), told]).toEqual([['later', 'a'], ['later is durable']]);
  });

  it('given a write alone that throws, is durable without it, in a commit of its own', async () => {
    defer('later');
    const failing = executor.run(() => {
      insert('half');
      throw new Error('no');
    });

    await expect(failing).rejects.toThrow('no');

    expect([committed(), told, commits]).toEqual([['later'], ['later is durable'], 1]);
    expect(timers.pending).toBe(0);
  });

  it('given a write alone during which SQLite rolls back, is kept for the next second', async () => {
    defer('later');
    const breaking = executor.run(() => {
      handle.prepare('ROLLBACK').run();
      throw sqliteError('SQLITE_FULL');
    });

    await expect(breaking).rejects.toMatchObject({ code: 'storage-full' });
    expect([committed(), told]).toEqual([[], []]);
    timers.pass(AT_MOST_MS);

    expect([committed(), told]).toEqual([['later'], ['later is durable']]);
  });

  it('given no write for a second, gets one commit of its own', () => {
    defer('later');
    timers.pass(AT_MOST_MS - 1);
    expect(commits).toBe(0);
    timers.pass(1);
    timers.pass(10 * AT_MOST_MS);

    expect([committed(), told, commits]).toEqual([['later'], ['later is durable'], 1]);
  });

  it('given work that throws, passes the error on, keeps nothing of it and does not retry it; the rest of the commit stays', async () => {
    const error = new Error('no');
    executor.defer(
      () => {
        insert('bad');
        throw error;
      },
      (reason) => told.push(reason),
    );
    defer('later');
    await write('a');
    await write('b');

    expect([committed(), told]).toEqual([
      ['a', 'later', 'b'],
      [error, 'later is durable'],
    ]);
  });

  it.each(['SQLITE_FULL', 'SQLITE_BUSY'])(
    'given a commit that %s refuses, keeps the work, fails no other work again, and is durable after the next second',
    async (code) => {
      handle.onRun('COMMIT', 1, sqliteError(code));
      defer('later');

      await expect(write('a')).rejects.toMatchObject({ retry: 'safe' });
      handle.onRun(INSERT, 2, sqliteError('SQLITE_FULL'));
      await write('b');
      expect([committed(), told]).toEqual([['b'], []]);
      handle.onRun(INSERT, 0, sqliteError('SQLITE_FULL'));
      timers.pass(AT_MOST_MS);

      expect([committed(), told]).toEqual([['b', 'later'], ['later is durable']]);
    },
  );

  it('given a file that another program locks forever, retries each second', () => {
    handle.onRun('BEGIN IMMEDIATE', 1, sqliteError('SQLITE_BUSY'));
    defer('later');
    timers.pass(AT_MOST_MS);
    handle.onRun('BEGIN IMMEDIATE', 1, sqliteError('SQLITE_BUSY'));
    timers.pass(AT_MOST_MS);
    expect(told).toEqual([]);
    timers.pass(AT_MOST_MS);

    expect([committed(), told]).toEqual([['later'], ['later is durable']]);
  });

  it('given a drained executor, is durable', async () => {
    defer('later');
    await executor.drained();

    expect([committed(), told]).toEqual([['later'], ['later is durable']]);
  });

  it('given a close while nothing can be written, closes without an error and leaves no timer', async () => {
    defer('later');
    handle.onRun(INSERT, 1, sqliteError('SQLITE_FULL'));
    handle.onRun('COMMIT', 2, sqliteError('SQLITE_FULL'));

    await executor.close();

    expect([committed(), timers.pending]).toEqual([[], 0]);
  });
});
