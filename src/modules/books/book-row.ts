import { priceFromCents } from '../../kernel/index.js';
import type { Book } from './book.schemas.js';

export interface BookRow {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly priceCents: number;
  readonly quantity: number;
}

export type NewBookRow = Omit<BookRow, 'id'>;

export type Sealed<Row> = Row & { readonly seal: number | null };

export const SELECT_BOOK = 'SELECT id, title, author, price_cents AS priceCents, quantity, seal FROM books';

/** Returns the values in the order of SEALED_BOOKS. */
export function valuesOf({ title, author, priceCents, quantity }: NewBookRow): readonly (string | number)[] {
  return [title, author, priceCents, quantity];
}

export function bookOf({ id, title, author, priceCents, quantity }: BookRow): Book {
  return { id, title, author, price: priceFromCents(priceCents), quantity };
}
