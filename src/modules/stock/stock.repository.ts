import { Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { SealedRows, SqlDatabase, type SqlWriteScope } from '../../platform/sql/index.js';
import { SEALED_STOCK } from './create-stock.migration.js';
import { noItem, type StockItem } from './stock-item.js';

/** Writes run only inside work of the write executor of `bookstore.db`. */
@Injectable()
export class StockRepository {
  private readonly rows: SealedRows<StockItem>;
  private readonly deleteRow: Statement<[string]>;

  constructor(database: SqlDatabase) {
    this.rows = new SealedRows(database, SEALED_STOCK, valuesOf);
    this.deleteRow = database.writeHandle.prepare('DELETE FROM stock_items WHERE id = ?');
  }

  /** Inserts the item, or replaces the item that has its id. */
  put(scope: SqlWriteScope, item: StockItem): void {
    this.rows.put(item);
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

  /** Sees the earlier changes of the same commit. Throws `storage-damaged`. */
  findWithinWrite(id: string): StockItem | undefined {
    return this.rows.findWithinWrite(id);
  }

  /** Throws `storage-damaged`. */
  find(id: string): StockItem | undefined {
    return this.rows.find(id);
  }
}

function valuesOf({ id, price, stock, sold, delivered, setNumber, shownIn }: StockItem): (string | number | null)[] {
  return [id, price, stock, sold, delivered, setNumber, shownIn];
}
