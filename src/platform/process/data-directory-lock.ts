import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3, { type Statement } from 'better-sqlite3';
import { AppError, isAppError, type Timers } from '../../kernel/index.js';
import { isLockHeldBy } from './lock-holder.js';

const LOCK_FILE = 'lock.db';

/**
 * One process per data directory, held by SQLite's own file lock: it ends exactly with the process, however the process dies. The
 * file is never unlinked, and its holder never opens it a second time: closing any handle on a file releases all POSIX locks that
 * the process has on it.
 */
export class DataDirectoryLock {
  private constructor(
    private readonly handle: BetterSqlite3.Database,
    readonly path: string,
    private readonly inode: number,
  ) {}

  /** For a process that waits for the lock. Throws as `acquire` does, except that the lock may be held. The directory must exist. */
  static candidate(directory: string, file = LOCK_FILE): LockCandidate {
    const path = join(directory, file);
    let handle: BetterSqlite3.Database | undefined;
    try {
      handle = new BetterSqlite3(path, { timeout: 0 });
      return new LockCandidate(directory, path, handle, (locked, inode) => new DataDirectoryLock(locked, path, inode));
    } catch (cause) {
      handle?.close();
      throw refusalOf(cause, directory, path);
    }
  }

  /**
   * Throws `data-directory-locked` when another process holds it, `data-corrupt` when the file is not SQLite's,
   * `directory-unusable` when it is unusable. The directory must exist. Keep the result: garbage collection releases the lock.
   */
  static acquire(directory: string, file = LOCK_FILE): DataDirectoryLock {
    const path = join(directory, file);
    let handle: BetterSqlite3.Database | undefined;
    try {
      handle = new BetterSqlite3(path, { timeout: 0 });
      handle.pragma('locking_mode = EXCLUSIVE');
      handle.pragma('journal_mode = DELETE');
      handle.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      handle?.close();
      throw refusalOf(cause, directory, path);
    }
    return new DataDirectoryLock(handle, path, statSync(path).ino);
  }

  /** Whether a living process holds the lock. Creates no file; an unusable file is for its owner to report. */
  static isHeld(directory: string, file = LOCK_FILE): boolean {
    if (!existsSync(join(directory, file))) return false;
    try {
      DataDirectoryLock.acquire(directory, file).release();
      return false;
    } catch (error) {
      return isAppError(error, 'data-directory-locked');
    }
  }

  /** Whether the process `pid` holds the lock. Where the system does not say who does: whether anybody does. */
  static isHeldBy(directory: string, pid: number, file = LOCK_FILE): boolean {
    return isLockHeldBy(join(directory, file), pid) ?? DataDirectoryLock.isHeld(directory, file);
  }

  /** Calls `onLost` once, at most about `everyMs` after the directory was removed or replaced, which loses new writes. */
  watch(timers: Timers, everyMs: number, onLost: () => void): void {
    timers.after(everyMs, () => {
      if (!this.handle.open) return;
      if (this.isInPlace()) this.watch(timers, everyMs, onLost);
      else onLost();
    });
  }

  /** Whether the locked directory has neither been removed nor replaced. */
  isInPlace(): boolean {
    return isInPlace(this.path, this.inode);
  }

  release(): void {
    this.handle.close();
  }
}

/**
 * Tries again and again to take the lock. It keeps one handle open, so that an attempt costs some 20 microseconds. Until it has the
 * lock that handle is in the normal locking mode: in the exclusive one a failed attempt would keep a shared lock, and two candidates
 * would block each other for ever.
 */
export class LockCandidate {
  private readonly begin: Statement<[]>;
  private readonly inode: number;

  constructor(
    private readonly directory: string,
    readonly path: string,
    private readonly handle: BetterSqlite3.Database,
    private readonly won: (handle: BetterSqlite3.Database, inode: number) => DataDirectoryLock,
  ) {
    this.begin = handle.prepare('BEGIN EXCLUSIVE');
    this.inode = statSync(path).ino;
  }

  /**
   * The lock, undefined while another process holds it. Never waits. Throws as `acquire` does. Call it neither after it gave the
   * lock nor after `end`.
   */
  attempt(): DataDirectoryLock | undefined {
    try {
      this.begin.run();
    } catch (cause) {
      const refusal = refusalOf(cause, this.directory, this.path);
      if (isAppError(refusal, 'data-directory-locked')) return undefined;
      this.end();
      throw refusal;
    }
    this.handle.pragma('locking_mode = EXCLUSIVE');
    return this.won(this.handle, this.inode);
  }

  /** Whether the directory has neither been removed nor replaced since the candidate was made. */
  isInPlace(): boolean {
    return isInPlace(this.path, this.inode);
  }

  /** Gives up. Only for a candidate that did not get the lock. */
  end(): void {
    this.handle.close();
  }
}

function isInPlace(path: string, inode: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === inode;
}

function refusalOf(cause: unknown, directory: string, path: string): unknown {
  const { code = '', message } = cause as { readonly code?: string; readonly message: string };
  if (code === 'SQLITE_BUSY') {
    return new AppError('data-directory-locked', `cannot lock ${directory}: it is in use by another process`, {
      retry: 'safe',
      cause,
    });
  }
  if (/^SQLITE_(?:NOTADB|CORRUPT)/.test(code)) {
    const remedy = 'it holds only the lock, no data: delete it while no Bifolio process runs there';
    return new AppError('data-corrupt', `${path}: ${message}; ${remedy}`, { retry: 'never', cause });
  }
  return new AppError('directory-unusable', `${path} cannot be opened: ${message}`, { retry: 'safe', cause });
}
