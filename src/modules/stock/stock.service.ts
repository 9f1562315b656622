import { Injectable } from '@nestjs/common';
import { risingUuids, systemClock, systemRandom } from '../../platform/process/index.js';
import {
  type RecordedAnswer,
  type Recording,
  SqlDatabase,
  SqlOperationLedger,
  type SqlWriteScope,
} from '../../platform/sql/index.js';
import { delivered, newItem, type NewItem, noItem, type StockItem } from './stock-item.js';
import { StockRepository } from './stock.repository.js';

/** What other modules may know of an item. */
export type ItemOnSale = Pick<StockItem, 'price' | 'stock' | 'setNumber'>;

export interface StockOutcome {
  readonly change: 'created' | 'changed';
  readonly item: StockItem;
}

type StockRecording = Recording<StockOutcome>;

/** The `...Within` methods run only inside work of the write executor of `bookstore.db`: done exactly when that work is committed. */
@Injectable()
export class StockService {
  private readonly newId = risingUuids({ clock: systemClock, random: systemRandom });

  constructor(
    private readonly database: SqlDatabase,
    private readonly items: StockRepository,
    private readonly operations: SqlOperationLedger,
  ) {}

  /** A new item has no stock. */
  create(price: number, recording: StockRecording): Promise<RecordedAnswer> {
    return this.write(recording, (scope) => {
      const item = newItem({ id: this.newId(), price });
      this.items.put(scope, item);
      return { change: 'created', item };
    });
  }

  /** A negative `amount` is taken back. Rejects with `not-found`, `too-little-stock` or `conflict`. */
  deliver(id: string, amount: number, recording: StockRecording): Promise<RecordedAnswer> {
    return this.write(recording, (scope) => {
      const item = this.items.change(scope, id, (found) => delivered(found, amount));
      return { change: 'changed', item };
    });
  }

  /** Throws `not-found`. */
  find(id: string): StockItem {
    const item = this.items.find(id);
    if (item === undefined) throw noItem(id);
    return item;
  }

  createWithin(scope: SqlWriteScope, item: NewItem): void {
    this.items.put(scope, newItem(item));
  }

  /** Sets the price, and the stock by a delivery of the difference. Throws `not-found` or `conflict`. */
  replaceWithin(scope: SqlWriteScope, { id, price, stock }: Required<Pick<NewItem, 'id' | 'price' | 'stock'>>): void {
    this.items.change(scope, id, (item) => ({ ...delivered(item, stock - item.stock), price }));
  }

  /** The committed items among these, by id. Throws `storage-damaged`. */
  itemsOnSale(ids: readonly string[]): ReadonlyMap<string, ItemOnSale> {
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

  private write(recording: StockRecording, work: (scope: SqlWriteScope) => StockOutcome): Promise<RecordedAnswer> {
    return this.database.writer.run((scope) => this.operations.record(recording, work(scope)));
  }
}
