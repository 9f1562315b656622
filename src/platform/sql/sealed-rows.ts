import type { Statement } from 'better-sqlite3';
import { RowSeal, type Sealable, type SealedTable, sealOf } from '../sql-check/index.js';
import type { SqlDatabase } from './sql-database.js';
import type { SqlHandle } from './sql-handle.js';

type Stored<Row> = Row & { readonly seal: number | null };

/**
 * The rows of a sealed table with the key `id`, with a field in camel case for each column. Writes and `findWithinWrite` run only
 * inside work of the write executor.
 */
export class SealedRows<Row extends { readonly id: string }> {
  private readonly putRow: Statement<Sealable[]>;
  private readonly findForWrite: Statement<[string], Stored<Row>>;
  private readonly findCommitted: Statement<[string], Stored<Row>>;
  private readonly seal: RowSeal;

  private readonly write: SqlHandle;

  /** `valuesOf`: in the order of the columns. */
  constructor(
    { writeHandle: write, reader, damaged }: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>,
    { table, columns }: SealedTable,
    private readonly valuesOf: (row: Row) => readonly Sealable[],
  ) {
    const all = [...columns, 'seal'];
    const select = `SELECT ${all.map((column) => `${column} AS ${camelCase(column)}`).join(', ')} FROM ${table} WHERE id = ?`;
    const changes = all.filter((column) => column !== 'id').map((column) => `${column} = excluded.${column}`);
    this.seal = new RowSeal(table, damaged);
    this.write = write;
    this.putRow = write.prepare(
      `INSERT INTO ${table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})
       ON CONFLICT (id) DO UPDATE SET ${changes.join(', ')}`,
    );
    this.findForWrite = write.prepare(select);
    this.findCommitted = reader.handle.prepare(select);
  }

  /** Inserts the row, or replaces the row that has its id. */
  put(row: Row): void {
    const values = this.valuesOf(row);
    this.putRow.run(...values, sealOf(values));
  }

  /** Sees the earlier changes of the same commit. Throws `storage-damaged`. */
  findWithinWrite(id: string): Row | undefined {
    return this.checked(this.findForWrite.get(id));
  }

  /**
   * The committed row. Between commits the write connection sees the same as the read connection, and has the pages in memory that
   * the read connection would read again. Throws `storage-damaged`.
   */
  find(id: string): Row | undefined {
    return this.checked((this.write.inTransaction ? this.findCommitted : this.findForWrite).get(id));
  }

  private checked(row: Stored<Row> | undefined): Row | undefined {
    if (row !== undefined) this.seal.check(row.id, row.seal, this.valuesOf(row));
    return row;
  }
}

function camelCase(column: string): string {
  return column.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
