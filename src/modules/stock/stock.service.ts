import { Injectable } from '@nestjs/common';
import type { SqlWriteScope } from '../../platform/sql/index.js';
import { delivered, newItem, type NewItem, type StockItem } from './stock-item.js';
import { StockRepository } from './stock.repository.js';

/** What other modules may know of an item. */
export type ItemOnSale = Pick<StockItem, 'price' | 'stock' | 'setNumber'>;

/** The `...Within` methods run only inside work of the write executor of `bookstore.db`: done exactly when that work is committed. */
@Injectable()
export class StockService {
  constructor(private readonly items: StockRepository) {}

  createWithin(scope: SqlWriteScope, item: NewItem): void {
    this.items.put(scope, newItem(item));
  }

  /** Sets the price, and the stock by a delivery of the difference. Throws `not-found` or `conflict`. */
  replaceWithin(scope: SqlWriteScope, { id, price, stock }: Required<Pick<NewItem, 'id' | 'price' | 'stock'>>): void {
    this.items.change(scope, id, (item) => ({ ...delivered(item, stock - item.stock), price }));
  }

  /** The committed items among these, by id. Throws `storage-damaged`. */
  priceAndStockOf(ids: readonly string[]): ReadonlyMap<string, ItemOnSale> {
    const found = new Map<string, ItemOnSale>();
    for (const id of ids) {
      const item = this.items.find(id);
      if (item !== undefined) found.set(id, item);
    }
    return found;
  }

  removeWithin(scope: SqlWriteScope, item: Pick<StockItem, 'id' | 'shownIn'>): void {
    this.items.delete(scope, item);
  }
}
