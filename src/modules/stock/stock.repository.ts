import { Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { SqlDatabase, type SqlWriteScope } from '../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../platform/sql-check/index.js';
import { SEALED_STOCK } from './create-stock.migration.js';
import { noItem, type StockItem, type StockValues, valuesOf } from './stock-item.js';

type StoredItem = StockItem & { readonly seal: number | null };

const SELECT_ITEM = `SELECT id, price, stock, sold, delivered, set_number AS setNumber, shown_in AS shownIn, seal
  FROM stock_items WHERE id = ?`;

/** Writes run only inside work of the write executor of `bookstore.db`. */
@Injectable()
export class StockRepository {
  private readonly putRow: Statement<[...StockValues, seal: number]>;
  private readonly deleteRow: Statement<[string]>;
  private readonly findForWrite: Statement<[string], StoredItem>;
  private readonly findCommitted: Statement<[string], StoredItem>;
  private readonly seal: RowSeal;

  constructor(database: SqlDatabase) {
    const { writeHandle: write } = database;
    this.seal = new RowSeal(SEALED_STOCK.table, database.damaged);
    this.putRow = write.prepare(
      `INSERT INTO stock_items (id, price, stock, sold, delivered, set_number, shown_in, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET price = excluded.price, stock = excluded.stock, sold = excluded.sold,
         delivered = excluded.delivered, set_number = excluded.set_number, shown_in = excluded.shown_in, seal = excluded.seal`,
    );
    this.deleteRow = write.prepare('DELETE FROM stock_items WHERE id = ?');
    this.findForWrite = write.prepare(SELECT_ITEM);
    this.findCommitted = database.reader.handle.prepare(SELECT_ITEM);
  }

  /** Inserts the item, or replaces the item that has its id. */
  put(scope: SqlWriteScope, item: StockItem): void {
    const values = valuesOf(item);
    this.putRow.run(...values, sealOf(values));
    if (item.shownIn !== null) scope.touch(item.shownIn);
  }

  /** Writes what `change` makes of the item, and returns it. Throws `not-found` and what `change` throws. */
  change(scope: SqlWriteScope, id: string, change: (item: StockItem) => StockItem): StockItem {
    const item = this.findWithinWrite(id);
    if (item === undefined) throw noItem(id);
    const changed = change(item);
    this.put(scope, changed);
    return changed;
  }

  delete(scope: SqlWriteScope, { id, shownIn }: Pick<StockItem, 'id' | 'shownIn'>): void {
    this.deleteRow.run(id);
    if (shownIn !== null) scope.touch(shownIn);
  }

  /** Sees the earlier changes of the same commit. */
  findWithinWrite(id: string): StockItem | undefined {
    return this.checked(this.findForWrite.get(id));
  }

  find(id: string): StockItem | undefined {
    return this.checked(this.findCommitted.get(id));
  }

  /** Throws `storage-damaged`. */
  private checked(row: StoredItem | undefined): StockItem | undefined {
    if (row !== undefined) this.seal.check(row.id, row.seal, valuesOf(row));
    return row;
  }
}
