import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { eventually } from '../../../test/support/eventually.js';
import { OtherProcess } from '../../../test/support/other-process.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { DataDirectoryLock, type LockCandidate } from './index.js';

/** The same file lock as the app's, taken by a process that has nothing else of the app. */
const HOLD = `
  const handle = new (require('better-sqlite3'))(process.argv[1] + '/lock.db', { timeout: 0 });
  handle.pragma('locking_mode = EXCLUSIVE');
  handle.pragma('journal_mode = DELETE');
  handle.exec('BEGIN EXCLUSIVE');
  console.log('held');
  process.stdin.resume();
`;
/** Another candidate, which tries as often as it can. */
const RIVAL = `
  const handle = new (require('better-sqlite3'))(process.argv[1] + '/lock.db', { timeout: 0 });
  const begin = handle.prepare('BEGIN EXCLUSIVE');
  const attempt = () => {
    try { begin.run(); console.log('taken'); } catch { setImmediate(attempt); }
  };
  console.log('waiting');
  attempt();
  process.stdin.resume();
`;
/** What a backup or a curious person does. */
const OPEN_AND_CLOSE = `
  const fs = require('node:fs');
  fs.closeSync(fs.openSync(process.argv[1] + '/lock.db', 'r+'));
  fs.readFileSync(process.argv[1] + '/lock.db');
  const handle = new (require('better-sqlite3'))(process.argv[1] + '/lock.db', { timeout: 0 });
  try { handle.prepare('SELECT * FROM sqlite_schema').all(); console.log('read'); } catch (error) { console.log(error.code); }
  handle.close();
`;

describe('DataDirectoryLock', () => {
  let directory: string;
  let others: OtherProcess[];

  beforeEach(() => {
    directory = temporaryDirectory();
    others = [];
  });

  afterEach(async () => {
    for (const other of others) await other.end();
    rmSync(directory, { recursive: true });
  });

  const run = (script: string, where = directory): OtherProcess => {
    const other = new OtherProcess(script, [where]);
    others.push(other);
    return other;
  };
  const hold = async (where = directory): Promise<OtherProcess> => {
    const holder = run(HOLD, where);
    await holder.prints('held');
    return holder;
  };
  const acquireAndRelease = (where = directory): void => {
    DataDirectoryLock.acquire(where).release();
  };
  const refusal = { code: 'data-directory-locked', retry: 'safe' };
  const acquiring = (where = directory): unknown => {
    try {
      acquireAndRelease(where);
      return 'taken';
    } catch (error) {
      return error;
    }
  };

  it('given no holder, is acquired, and again after its release', () => {
    expect([acquiring(), acquiring()]).toEqual(['taken', 'taken']);
  });

  it('given a holder in another process, is refused in one line that names the directory', async () => {
    await hold();

    expect(acquiring()).toMatchObject({
      ...refusal,
      message: `cannot lock ${directory}: it is in use by another process`,
    });
  });

  it('given this process as holder, is refused to another', async () => {
    const lock = DataDirectoryLock.acquire(directory);
    const other = run(HOLD);
    await other.exited;

    expect(other.printed).toContain('SQLITE_BUSY');
    lock.release();
  });

  it('given a holder stopped by SIGSTOP, is refused for as long as it lives', async () => {
    const holder = await hold();
    holder.signal('SIGSTOP');

    expect([acquiring(), acquiring()]).toMatchObject([refusal, refusal]);
    await holder.end();
    expect(acquiring()).toBe('taken');
  });

  it('given a holder that is killed, is acquired as soon as that is gone', async () => {
    const holder = await hold();
    holder.signal('SIGKILL');

    await eventually(acquireAndRelease, { withinMs: 30_000 });
    await holder.exited;
    expect(acquiring()).toBe('taken');
  });

  it('given a third process that opens, reads and closes the lock file, stays held', async () => {
    await hold();
    const third = run(OPEN_AND_CLOSE);
    await third.exited;

    expect(third.printed.trim()).toBe('SQLITE_BUSY');
    expect(acquiring()).toMatchObject(refusal);
  });

  it('given a third process that opens, reads and closes the lock file of this one, stays held', async () => {
    const lock = DataDirectoryLock.acquire(directory);
    await run(OPEN_AND_CLOSE).exited;
    const other = run(HOLD);
    await other.exited;

    expect(other.printed).toContain('SQLITE_BUSY');
    lock.release();
  });

  it('given two data directories, locks one without the other', async () => {
    const second = join(directory, 'second');
    mkdirSync(second);
    await hold();

    expect([acquiring(), acquiring(second)]).toMatchObject([refusal, 'taken']);
  });

  describe('a candidate', () => {
    let candidates: LockCandidate[];
    const candidate = (): LockCandidate => {
      const one = DataDirectoryLock.candidate(directory);
      candidates.push(one);
      return one;
    };
    beforeEach(() => {
      candidates = [];
    });
    afterEach(() => {
      candidates.forEach((one) => {
        one.end();
      });
    });

    it('given a holder, waits for as long as it lives, and gets the lock as soon as it is killed', async () => {
      const holder = await hold();
      const waiting = candidate();
      for (let attempt = 0; attempt < 1_000; attempt += 1) expect(waiting.attempt()).toBeUndefined();
      holder.signal('SIGSTOP');
      expect(waiting.attempt()).toBeUndefined();
      holder.signal('SIGKILL');

      await eventually(() => {
        expect(waiting.attempt()).toBeDefined();
      });
      const other = run(HOLD);
      await other.exited;
      expect(other.printed).toContain('SQLITE_BUSY');
    });

    it('given two of them whose attempts alternate, leaves the lock to one of them', async () => {
      const holder = await hold();
      const one = candidate();
      const rival = new OtherProcess(RIVAL, [directory]);
      others.push(rival);
      await rival.prints('waiting');
      await holder.end();

      const hasOne = await eventually(() => {
        const taken = one.attempt() !== undefined;
        if (!taken && !rival.printed.includes('taken')) throw new Error('nobody has the lock');
        return taken;
      });
      expect(acquiring()).toMatchObject(refusal);
      expect(rival.printed.includes('taken')).toBe(!hasOne);
    });

    it('given a directory that is replaced by a copy, is no longer in place', () => {
      const waiting = candidate();
      expect(waiting.isInPlace()).toBe(true);
      renameSync(directory, `${directory}-away`);
      cpSync(`${directory}-away`, directory, { recursive: true });
      expect(waiting.isInPlace()).toBe(false);
      rmSync(`${directory}-away`, { recursive: true });
    });
  });

  it('given a directory that is removed or replaced by a copy, reports it once, and before that nothing', () => {
    const timers = new SimulatedTimers();
    let lost = 0;
    const lock = DataDirectoryLock.acquire(directory);
    lock.watch(timers, 500, () => {
      lost += 1;
    });
    timers.pass(5_000);
    expect(lost).toBe(0);
    renameSync(directory, `${directory}-away`);
    cpSync(`${directory}-away`, directory, { recursive: true });
    timers.pass(5_000);
    expect([lost, timers.pending]).toEqual([1, 0]);
    lock.release();
    rmSync(`${directory}-away`, { recursive: true });
  });
});
