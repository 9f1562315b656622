import BetterSqlite3 from 'better-sqlite3';
import { refusalToOpen } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';

/** The tables that an existing database file lacks. Changes nothing. Throws what `SqlDatabase.open` rejects with. */
export function tablesMissingIn(file: string, tables: readonly string[]): readonly string[] {
  let handle: SqlHandle | undefined;
  try {
    handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true });
    const there = handle.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    return tables.filter((table) => !there.includes(table));
  } catch (error) {
    throw refusalToOpen(error, file);
  } finally {
    handle?.close();
  }
}
