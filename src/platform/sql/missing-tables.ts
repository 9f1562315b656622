import BetterSqlite3 from 'better-sqlite3';
import { refusalToOpen } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';

/** Which of these, each a table or `table.column`, an existing database file lacks. Changes nothing. Throws what `SqlDatabase.open` rejects with. */
export function tablesMissingIn(file: string, tables: readonly string[]): readonly string[] {
  let handle: SqlHandle | undefined;
  try {
    handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true });
    const there = handle
      .prepare<[], string>(
        `SELECT name FROM sqlite_schema WHERE type = 'table'
         UNION ALL
         SELECT one.name || '.' || info.name FROM sqlite_schema AS one, pragma_table_info(one.name) AS info
         WHERE one.type = 'table'`,
      )
      .pluck()
      .all();
    return tables.filter((table) => !there.includes(table));
  } catch (error) {
    throw refusalToOpen(error, file);
  } finally {
    handle?.close();
  }
}
