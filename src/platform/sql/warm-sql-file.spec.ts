import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../test/support/app-process.js';
import { OtherProcess } from '../../../test/support/other-process.js';
import { logBytesOf } from './bookstore-file.js';
import { WarmSqlFile } from './index.js';

/** Writes rows and stays, as an app does; `kill -9` leaves its log. */
const OWNER = `
  const handle = new (require('better-sqlite3'))(process.argv[1]);
  handle.pragma('journal_mode = WAL');
  handle.exec('CREATE TABLE IF NOT EXISTS rows (text)');
  handle.prepare('INSERT INTO rows VALUES (?)').run('x'.repeat(5000));
  console.log('written');
  process.stdin.resume();
`;

describe('a warm SQL file', () => {
  let directory: string;
  let file: string;
  let warm: WarmSqlFile;
  let owner: OtherProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    file = join(directory, 'rows.db');
    warm = new WarmSqlFile(file);
    owner = new OtherProcess(OWNER, [file]);
    await owner.prints('written');
  });

  afterEach(async () => {
    warm.close();
    await owner.end();
    removeDirectory(directory);
  });

  it('given an owner that is killed, is continued', async () => {
    expect(warm.isContinued()).toBe(false);
    warm.look();
    await owner.end();

    expect(warm.isContinued()).toBe(true);
    const next = new BetterSqlite3(file);
    expect(next.prepare('SELECT count(*) FROM rows').pluck().get()).toBe(1);
    warm.close();
    expect(next.prepare('SELECT count(*) FROM rows').pluck().get()).toBe(1);
    next.close();
  });

  it('given no file, or one without a log, does not open it', async () => {
    await owner.end();
    rmSync(file);
    for (const ending of ['-wal', '-shm']) rmSync(file + ending, { force: true });
    warm.look();
    expect(warm.isContinued()).toBe(false);
    new BetterSqlite3(file).exec('CREATE TABLE rows (text)').close();
    warm.look();

    expect(warm.isContinued()).toBe(false);
  });

  it.each(['', '-wal'])(
    'given a copy in the place of %j, is not continued, and opens the copy at the next look',
    (ending) => {
      warm.look();
      copyFileSync(file + ending, join(directory, 'copy'));
      renameSync(join(directory, 'copy'), file + ending);
      expect(warm.isContinued()).toBe(false);
      warm.look();

      expect(warm.isContinued()).toBe(true);
    },
  );

  it('keeps no page of the log: a checkpoint of the owner empties it', () => {
    warm.look();
    warm.look();
    const other = new BetterSqlite3(file);
    other.exec('INSERT INTO rows SELECT text FROM rows');

    expect(other.pragma('wal_checkpoint(TRUNCATE)')).toEqual([{ busy: 0, log: 0, checkpointed: 0 }]);
    expect(logBytesOf(file)).toBe(0);
    expect(warm.isContinued()).toBe(true);
    other.close();
  });
});
