import BetterSqlite3 from 'better-sqlite3';
import { assertSound } from './look-before-opening.js';
import { refusalToOpen } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';

/**
 * Copies a database that no process writes to, with the commits in its log, through SQLite. The copy is durable when it resolves, its
 * name is not. Throws `data-corrupt` when the database is damaged.
 */
export async function copySqlFile(file: string, copy: string): Promise<void> {
  let handle: SqlHandle | undefined;
  try {
    handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true });
    assertSound(handle, file);
    await handle.backup(copy);
  } catch (error) {
    throw refusalToOpen(error, file);
  } finally {
    handle?.close();
  }
}
