import { describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryLock } from './data-directory-lock.js';
import { isLockHeldBy } from './lock-holder.js';

const isTold = existsSync('/proc/locks');

describe('the holder of a lock', () => {
  it('given a lock that this process holds, is this process and no other one, where the system says so', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-test-'));
    const lock = DataDirectoryLock.acquire(directory);
    try {
      expect(isLockHeldBy(lock.path, process.pid)).toBe(isTold ? true : undefined);
      expect(isLockHeldBy(lock.path, process.pid + 1)).toBe(isTold ? false : undefined);
    } finally {
      lock.release();
    }
    expect(isLockHeldBy(lock.path, process.pid)).toBeUndefined();
    rmSync(directory, { recursive: true });
  });

  it('given no file, is unknown', () => {
    expect(isLockHeldBy('/no/such/file', process.pid)).toBeUndefined();
  });
});
