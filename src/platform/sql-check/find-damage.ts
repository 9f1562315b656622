import BetterSqlite3, { type Database, type Statement } from 'better-sqlite3';
import { keyOf, sealOf, type Sealable, type SealedTable } from './row-seal.js';

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

function* sealsOf(handle: Database, sealed: SealedTable): Generator<() => string | undefined> {
  const { table, columns } = sealed;
  const hasSeals = handle.prepare<[], string>(`SELECT name FROM pragma_table_info('${table}')`).pluck().all();
  if (!hasSeals.includes('seal')) return;
  const key = keyOf(sealed);
  const order = key.join(', ');
  const page = (after: string): Statement<Sealable[], [number | null, ...Sealable[]]> =>
    handle
      .prepare<Sealable[], [number | null, ...Sealable[]]>(
        `SELECT seal, ${order}, ${columns.join(', ')} FROM ${table} ${after} ORDER BY ${order} LIMIT ${String(ROWS_AT_ONCE)}`,
      )
      .raw();
  const next = page(`WHERE (${order}) > (${key.map(() => '?').join(', ')})`);
  let after: readonly Sealable[] | undefined;
  for (let isMore = true; isMore;) {
    yield () => {
      const rows = after === undefined ? page('').all() : next.all(...after);
      isMore = rows.length === ROWS_AT_ONCE;
      after = rows.at(-1)?.slice(1, 1 + key.length) ?? after;
      const bad = rows.find(([seal, ...values]) => seal !== null && seal !== sealOf(values.slice(key.length)));
      return bad && `row ${bad.slice(1, 1 + key.length).join(' ')} of ${table} differs from what was written`;
    };
  }
}
