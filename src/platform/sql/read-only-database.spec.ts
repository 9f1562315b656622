import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { BOOKS_MIGRATIONS, openBooksDatabase } from '../../../test/support/books-database.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { ReadOnlyDatabase, type SqlDatabase } from './index.js';

describe('ReadOnlyDatabase', () => {
  let directory: string;
  let data: string;
  let file: string;
  let owner: SqlDatabase;
  let microtasks: (() => void)[];
  let isOwned: boolean;
  let opened: ReadOnlyDatabase | undefined;

  const open = (): ReadOnlyDatabase => {
    opened = ReadOnlyDatabase.open(
      { microtask: (task) => microtasks.push(task), log: new RecordingLog() },
      { file, migrations: BOOKS_MIGRATIONS, isOwned: () => isOwned },
    );
    return opened;
  };
  const commit = (): Promise<void> =>
    owner.writer.run((scope) => {
      scope.touch('books');
    });

  beforeEach(async () => {
    directory = temporaryDirectory();
    data = join(directory, 'data');
    mkdirSync(data);
    file = join(data, 'bookstore.db');
    microtasks = [];
    isOwned = true;
    owner = await openBooksDatabase(file);
  });

  afterEach(async () => {
    opened?.close();
    opened = undefined;
    await owner.close();
    rmSync(directory, { recursive: true });
  });

  it('given a commit of the owner, sees it after the microtasks of the callback that looked last', async () => {
    const { reader } = open();
    const before = reader.currentVersion('books');
    expect(reader.currentVersion('books')).toBe(before);
    expect(microtasks).toHaveLength(1);

    await commit();
    microtasks.forEach((task) => {
      task();
    });

    expect(reader.currentVersion('books').generation).toBe(before.generation + 1);
  });

  it('given commits, checkpoints and a close of the owner, has no problem', async () => {
    const database = open();
    await commit();
    expect(database.problem()).toBeUndefined();
    await owner.close();
    expect(database.problem()).toBeUndefined();
    owner = await openBooksDatabase(file);
    await commit();
    expect(database.problem()).toBeUndefined();
    expect(database.reader.currentVersion('books').generation).toBe(2);
  });

  it('given an owner that starts later, has no problem', async () => {
    await owner.close();
    const database = open();
    owner = await openBooksDatabase(file);
    await commit();
    expect(database.problem()).toBeUndefined();
    expect(database.reader.currentVersion('books').generation).toBe(1);
  });

  it('given a copy written over the file, and its log removed, refuses to read', async () => {
    await owner.close();
    const database = open();
    copyFileSync(file, `${file}.copy`);
    for (const ending of ['-wal', '-shm']) rmSync(`${file}${ending}`);
    copyFileSync(`${file}.copy`, file);

    expect(database.problem()).toMatch(/bookstore\.db-wal was removed or renamed while it was in use/);
    expect(() => database.reader.currentVersion('books')).toThrow(/was removed or renamed/);
    owner = await openBooksDatabase(file);
    expect(database.problem()).toMatch(/was removed or renamed/);
  });

  describe('given an older copy written over the file, its log and index kept', () => {
    const copyOver = async (end: () => Promise<void>): Promise<ReadOnlyDatabase> => {
      copyFileSync(file, `${file}.copy`);
      await commit();
      const database = open();
      database.reader.currentVersion('books');
      await end();
      isOwned = false;
      microtasks.forEach((task) => {
        task();
      });
      return database;
    };

    it('after the owner has stopped, refuses to read', async () => {
      const database = await copyOver(() => owner.close());
      expect([database.problem(), database.reader.currentVersion('books').generation]).toEqual([undefined, 1]);
      microtasks.at(-1)?.();
      copyFileSync(`${file}.copy`, file);
      expect(() => database.reader.currentVersion('books')).toThrow(
        /bookstore\.db was written over while it was in use/,
      );
    });

    it('in the moment in which the owner stopped, refuses to read', async () => {
      const database = await copyOver(() => owner.close());
      copyFileSync(`${file}.copy`, file);
      expect(() => database.reader.currentVersion('books')).toThrow(
        /bookstore\.db was written over while it was in use/,
      );
    });

    it('after the owner was killed, refuses to read', async () => {
      const database = await copyOver(() => Promise.resolve());
      expect(database.problem()).toBeUndefined();
      copyFileSync(`${file}.copy`, file);
      expect(() => database.reader.currentVersion('books')).toThrow(
        /bookstore\.db was written over while it was in use/,
      );
    });
  });

  it('given checkpoints of an owner that lives, or was killed after the last one, has no problem', async () => {
    const database = open();
    for (const isAlive of [true, false]) {
      isOwned = isAlive;
      await commit();
      owner.writeHandle.pragma('wal_checkpoint(PASSIVE)');
      expect(database.problem()).toBeUndefined();
    }
  });

  it('given a path that the system cannot look at, has a problem and does not throw; a start is refused', async () => {
    const database = open();
    await owner.close();
    renameSync(data, `${data}.away`);
    symlinkSync(data, data);

    expect(database.problem()).toMatch(/bookstore\.db cannot be looked at \(ELOOP/);
    expect(open).toThrow(expect.objectContaining({ code: 'not-ready' }));
  });
});
