import { AppError } from '../../kernel/index.js';

/**
 * What is in stock of one item. Invariant: nothing is below zero, and stock + sold = delivered. Quantities enter and leave only as
 * deliveries; a sale moves them from `stock` to `sold`.
 */
export interface StockItem {
  readonly id: string;
  /** In the smallest unit. */
  readonly price: number;
  readonly stock: number;
  readonly sold: number;
  /** Everything that was ever delivered, less what was taken back. */
  readonly delivered: number;
  /** The run of `batch_init` that wrote the item; 0: none did. */
  readonly setNumber: number;
  /** The table whose readers show the stock of this item: each change of the item moves its generation. Null: no table. */
  readonly shownIn: string | null;
}

export interface NewItem extends Pick<StockItem, 'id' | 'price'> {
  /** Absent: 0. */
  readonly stock?: number;
  /** Absent: 0. */
  readonly setNumber?: number;
  /** Absent: null. */
  readonly shownIn?: string;
}

export function newItem({ id, price, stock = 0, setNumber = 0, shownIn }: NewItem): StockItem {
  return { id, price, stock, sold: 0, delivered: stock, setNumber, shownIn: shownIn ?? null };
}

/** A negative `amount` is taken back. Throws `too-little-stock`, or `conflict` when a sum exceeds what a number holds exactly. */
export function delivered(item: StockItem, amount: number): StockItem {
  const [stock, sum] = [item.stock + amount, item.delivered + amount];
  if (stock < 0) throw tooLittleStock(item, -amount);
  if (!Number.isSafeInteger(sum)) {
    const message = `${String(item.delivered)} of item ${item.id} were delivered, and at most ${String(Number.MAX_SAFE_INTEGER)} may be`;
    throw new AppError('conflict', message, { retry: 'never' });
  }
  return { ...item, stock, delivered: sum };
}

/** Throws `too-little-stock`. */
export function taken(item: StockItem, amount: number): StockItem {
  if (amount > item.stock) throw tooLittleStock(item, amount);
  return { ...item, stock: item.stock - amount, sold: item.sold + amount };
}

export function noItem(id: string): AppError {
  return new AppError('not-found', `item ${id} does not exist`, { retry: 'never' });
}

export function tooLittleStock({ id, stock }: StockItem, amount: number): AppError {
  const message = `${String(stock)} of item ${id} are in stock, which is less than ${String(amount)}`;
  return new AppError('too-little-stock', message, { retry: 'never' });
}
