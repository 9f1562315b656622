import BetterSqlite3, { type Database } from 'better-sqlite3';
import { sealOf, type Sealable, type SealedTable } from './row-seal.js';

const BUSY_TIMEOUT_MS = 1_000;
const ROWS_AT_ONCE = 1_000;
const DAMAGE = /^SQLITE_(?:NOTADB|CORRUPT|IOERR)/;

/**
 * Reads a whole database from disk on its own connection, table by table with the indexes, and sealed rows one by one. Returns a
 * description of the damage; undefined without damage. Between two pieces of work it awaits `pause` with the duration of the last
 * piece in milliseconds.
 */
export async function findDamage(
  file: string,
  sealed: readonly SealedTable[],
  pause: (workedMs: number) => Promise<void>,
): Promise<string | undefined> {
  let handle: Database | undefined;
  try {
    handle = new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    for (const work of piecesOf(handle, sealed)) {
      const began = performance.now();
      const found = work();
      if (found !== undefined) return found;
      await pause(performance.now() - began);
    }
    return undefined;
  } catch (error) {
    if (DAMAGE.test(String((error as { code?: unknown }).code))) return (error as Error).message;
    throw error;
  } finally {
    handle?.close();
  }
}

function* piecesOf(handle: Database, sealed: readonly SealedTable[]): Generator<() => string | undefined> {
  const tables = handle.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const check = handle.prepare<[string], string>('SELECT * FROM pragma_integrity_check(?)').pluck();
  // Short reads first: while a statement reads, the log cannot restart, and one statement checks a whole table.
  for (const one of sealed.filter(({ table }) => tables.includes(table))) yield* sealsOf(handle, one);
  for (const table of ['sqlite_schema', ...tables]) {
    yield () => {
      const found = check.get(table);
      return found === 'ok' ? undefined : `${table}: ${String(found)}`;
    };
  }
}

function* sealsOf(handle: Database, { table, columns, textKey }: SealedTable): Generator<() => string | undefined> {
  const hasSeals = handle.prepare<[], string>(`SELECT name FROM pragma_table_info('${table}')`).pluck().all();
  if (!hasSeals.includes('seal')) return;
  const key = textKey ?? 'rowid';
  const page = handle
    .prepare<[number | string], [number | string, number | null, ...Sealable[]]>(
      `SELECT ${key}, seal, ${columns.join(', ')} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${String(ROWS_AT_ONCE)}`,
    )
    .raw();
  let after: number | string = textKey === undefined ? 0 : '';
  for (let isMore = true; isMore;) {
    yield () => {
      const rows = page.all(after);
      isMore = rows.length === ROWS_AT_ONCE;
      after = rows.at(-1)?.[0] ?? after;
      const bad = rows.find(([, seal, ...values]) => seal !== null && seal !== sealOf(values));
      return bad && `row ${String(bad[0])} of ${table} differs from what was written`;
    };
  }
}
