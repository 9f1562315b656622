import type { AppError } from '../../kernel/index.js';
import { RowSeal } from '../../platform/sql-check/index.js';
import { SEALED_STOCK } from './create-stock.migration.js';
import { valuesOf } from './stock-item.js';

/** For statements that select from another table: the columns that `JoinedStock` reads, of the item that `joinItem` joins. */
export const JOINED_COLUMNS =
  'item.price AS itemPrice, item.stock, item.sold, item.delivered, item.set_number AS setNumber, item.shown_in AS shownIn, ' +
  'item.seal AS itemSeal';

/** `id` is the SQL of the item's id. */
export function joinItem(id: string): string {
  return `LEFT JOIN ${SEALED_STOCK.table} AS item ON item.id = ${id}`;
}

/** What `JOINED_COLUMNS` selects. Everything is null when there is no item. */
export interface JoinedItem {
  readonly itemPrice: number;
  readonly stock: number | null;
  readonly sold: number;
  readonly delivered: number;
  readonly setNumber: number;
  readonly shownIn: string | null;
  readonly itemSeal: number | null;
}

/** Reads the stock of items in statements that select from another table. */
export class JoinedStock {
  private readonly seal: RowSeal;

  constructor(private readonly damaged: (what: string) => AppError) {
    this.seal = new RowSeal(SEALED_STOCK.table, damaged);
  }

  /** Throws `storage-damaged`, also when the item is missing. */
  stockOf(id: string, { itemPrice: price, stock, itemSeal, sold, delivered, setNumber, shownIn }: JoinedItem): number {
    if (stock === null) throw this.damaged(`row ${id} of ${SEALED_STOCK.table} is missing`);
    this.seal.check(id, itemSeal, valuesOf({ id, price, stock, sold, delivered, setNumber, shownIn }));
    return stock;
  }
}
