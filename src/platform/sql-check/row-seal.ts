import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import type { AppError } from '../../kernel/index.js';

/** A table whose rows carry, in a column `seal`, a checksum over these columns in this order. */
export interface SealedTable {
  readonly table: string;
  readonly columns: readonly string[];
  /** The primary key of a table without rowids. */
  readonly key?: readonly string[];
}

/** The columns that find one row, in the order of the table. */
export function keyOf({ key = ['rowid'] }: SealedTable): readonly string[] {
  return key;
}

export type Sealable = string | number | null;

interface Runner {
  query(sql: string): Promise<unknown>;
}

const SEAL_FUNCTION = 'seal_of';
/** No value contains BETWEEN or begins with NULL. */
const BETWEEN = '\0';
const NULL = '\u0001';

/**
 * CRC-32 of a row's values. SQLite checks the structure of a page but not its content, so it would serve a text with a flipped
 * bit. A text read from SQLite has the same seal as the text that was written, even when that is not valid Unicode.
 */
export function sealOf(values: readonly Sealable[]): number {
  let text = '';
  for (const value of values) text += (value ?? NULL) + BETWEEN;
  return crc32(text);
}

/** Registers the SQL function of `sealRows` on a connection. */
export function registerSeal(handle: Database): void {
  handle.function(SEAL_FUNCTION, { varargs: true, deterministic: true }, (...values: unknown[]) =>
    sealOf(values as Sealable[]),
  );
}

/** Adds seals to all rows of a table. A row changed by something else (a SQLite shell) loses its seal and goes unchecked. */
export async function sealRows(runner: Runner, sealed: SealedTable): Promise<void> {
  const { table, columns } = sealed;
  await runner.query(`ALTER TABLE ${table} ADD COLUMN seal INTEGER`);
  await runner.query(`UPDATE ${table} SET seal = ${sealOfColumns(columns)}`);
  await watchColumns(runner, sealed);
}

/**
 * Seals the rows of a sealed table over other columns, once a migration has added or filled them. A row that is not what was
 * written stays so, and one without a seal stays without.
 */
export async function resealRows(runner: Runner, from: SealedTable, columns: readonly string[]): Promise<void> {
  const { table } = from;
  await runner.query(`DROP TRIGGER ${table}_changed_elsewhere`);
  await runner.query(
    `UPDATE ${table} SET seal = ${sealOfColumns(columns)} WHERE seal = ${sealOfColumns(from.columns)}`,
  );
  await watchColumns(runner, { ...from, columns });
}

export async function unsealRows(runner: Runner, { table }: SealedTable): Promise<void> {
  await runner.query(`DROP TRIGGER ${table}_changed_elsewhere`);
  await runner.query(`ALTER TABLE ${table} DROP COLUMN seal`);
}

/** The SQL of a seal over these columns. */
export function sealOfColumns(columns: readonly string[]): string {
  return `${SEAL_FUNCTION}(${columns.join(', ')})`;
}

/** A row changed by something else than a sealed write loses its seal. */
export async function watchColumns(runner: Runner, sealed: SealedTable): Promise<void> {
  const { table, columns } = sealed;
  const [now, before] = ['NEW', 'OLD'].map((row) => columns.map((column) => `${row}.${column}`).join(', '));
  const isRow = keyOf(sealed)
    .map((column) => `${column} = NEW.${column}`)
    .join(' AND ');
  await runner.query(`CREATE TRIGGER ${table}_changed_elsewhere AFTER UPDATE OF ${columns.join(', ')} ON ${table}
    WHEN NEW.seal IS OLD.seal AND (${String(now)}) IS NOT (${String(before)})
    BEGIN UPDATE ${table} SET seal = NULL WHERE ${isRow}; END`);
}

/** Verifies that rows of one table are as they were written. */
export class RowSeal {
  constructor(
    private readonly table: string,
    private readonly damaged: (what: string) => AppError,
  ) {}

  /** Throws what `damaged` returns. A row without a seal passes. */
  check(id: number | string, seal: number | null, values: readonly Sealable[]): void {
    if (seal === null || seal === sealOf(values)) return;
    throw this.damaged(`row ${String(id)} of ${this.table} differs from what was written`);
  }
}
