import { statSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { logBytesOf } from './bookstore-file.js';
import type { SqlHandle } from './sql-handle.js';

const ENDINGS = ['', '-wal', '-shm'];

/**
 * A database file that another process owns, held open for the moment in which that process dies. As long as one connection is open
 * the index of the log stays valid, so the next owner need not read the log again. Between its calls this one holds no transaction, so
 * it keeps no page in the log.
 */
export class WarmSqlFile {
  private handle: SqlHandle | undefined;
  private identities: readonly string[] = [];

  constructor(readonly file: string) {}

  /**
   * Opens the file when it is there and has a log, and lets go of one that was removed or replaced. Call it a few times a second.
   * Never throws: the owner of the file reports what is wrong with it.
   */
  look(): void {
    if (this.handle !== undefined && !this.isSameFile()) this.close();
    // Without a log a new file may still be on its way to WAL mode, and a reader would be in the way.
    if (this.handle === undefined && logBytesOf(this.file) > 0) this.open();
  }

  /**
   * Whether the file has been open here since before its last owner ended, and it and its log are still the same files. Then nobody
   * has put a copy in the place of either since.
   */
  isContinued(): boolean {
    return this.handle !== undefined && this.isSameFile();
  }

  /**
   * For reading ahead; no transaction may stay open on it. Undefined while the file is not open; another one after it was opened again,
   * and what was read before may not be true of the file any more.
   */
  get reader(): SqlHandle | undefined {
    return this.handle;
  }

  close(): void {
    this.handle?.close();
    this.handle = undefined;
  }

  private open(): void {
    const identities = this.readIdentities();
    let handle: SqlHandle | undefined;
    try {
      handle = new BetterSqlite3(this.file, { readonly: true, fileMustExist: true, timeout: 0 });
      // Only a read maps the index of the log.
      handle.prepare('SELECT count(*) FROM sqlite_schema').get();
    } catch {
      handle?.close();
      return;
    }
    this.handle = handle;
    this.identities = identities;
  }

  private isSameFile(): boolean {
    return this.readIdentities().every((identity, index) => identity === this.identities[index]);
  }

  /** An open file keeps its inode from being used again. */
  private readIdentities(): readonly string[] {
    return ENDINGS.map((ending) => {
      const stats = statSync(`${this.file}${ending}`, { throwIfNoEntry: false });
      return stats ? `${String(stats.dev)}:${String(stats.ino)}` : 'none';
    });
  }
}
