import { type AppError, priceFromCents } from '../../kernel/index.js';
import { RowSeal } from '../../platform/sql-check/index.js';
import { joinItem, JOINED_STOCK } from '../stock/index.js';
import type { Book } from './book.schemas.js';

/** The table, and what stock shows its items in. */
export const TABLE = 'books';

export interface BookRow {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly priceCents: number;
}

export type NewBookRow = Omit<BookRow, 'id'>;

export type BookValues = [title: string, author: string, priceCents: number];

/** A book with the quantity, which its item holds. */
export interface BookWithItem extends BookRow {
  readonly seal: number | null;
  readonly quantity: number;
}

export const SELECT_BOOK = `SELECT books.id, title, author, price_cents AS priceCents, books.seal,
  ${JOINED_STOCK} AS quantity
  FROM books ${joinItem("'book-' || books.id")}`;

/** The id of a book's item in stock. */
export function itemIdOf(bookId: number): string {
  return `book-${String(bookId)}`;
}

/** Returns the values in the order of SEALED_BOOKS. */
export function valuesOf({ title, author, priceCents }: NewBookRow): BookValues {
  return [title, author, priceCents];
}

export function bookOf({ id, title, author, priceCents }: BookRow, quantity: number): Book {
  return { id, title, author, price: priceFromCents(priceCents), quantity };
}

/** Makes books of the rows of `SELECT_BOOK`. */
export class StoredBooks {
  private readonly seal: RowSeal;

  constructor(private readonly damaged: (what: string) => AppError) {
    this.seal = new RowSeal(TABLE, damaged);
  }

  /** Throws `storage-damaged`. */
  bookOf(row: BookWithItem): Book {
    this.seal.check(row.id, row.seal, valuesOf(row));
    if (row.quantity < 0)
      throw this.damaged(`row ${itemIdOf(row.id)} of stock_items is missing or differs from what was written`);
    return bookOf(row, row.quantity);
  }
}
