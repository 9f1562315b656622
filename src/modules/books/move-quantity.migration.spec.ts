import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import type { QueryRunner } from 'typeorm';
import { AppError } from '../../kernel/index.js';
import { registerSeal, sealOf } from '../../platform/sql-check/index.js';
import { STOCK_STORE } from '../stock/index.js';
import { type BookWithItem, SELECT_BOOK, StoredBooks } from './book-row.js';
import { CreateBooks1763700000002 } from './create-books.migration.js';
import { MoveQuantity1764800000003 } from './move-quantity.migration.js';
import { SealBooks1764500000011 } from './seal-books.migration.js';

const BEFORE = [CreateBooks1763700000002, SealBooks1764500000011, ...STOCK_STORE.migrations];
const CHECKED = 1;
const BY_HAND = 2;
const DAMAGED = 3;

describe('moving the quantity of books to stock', () => {
  let handle: Database;
  let runner: QueryRunner;

  const move = new MoveQuantity1764800000003();
  const stored = new StoredBooks((what) => new AppError('storage-damaged', what, { retry: 'safe' }));
  const read = (id: number): unknown => {
    const row = handle.prepare<[number], BookWithItem>(`${SELECT_BOOK} WHERE books.id = ?`).get(id);
    return row && stored.bookOf(row);
  };
  const rows = (table: string): unknown[] => handle.prepare(`SELECT * FROM ${table} ORDER BY id`).all();

  beforeEach(async () => {
    handle = new BetterSqlite3(':memory:');
    registerSeal(handle);
    runner = { query: (sql: string) => Promise.resolve(handle.exec(sql)) } as unknown as QueryRunner;
    for (const Migration of BEFORE) await (new Migration() as typeof move).up(runner);
    const insert = handle.prepare(
      'INSERT INTO books (title, author, price_cents, quantity, seal) VALUES (?, ?, ?, ?, ?)',
    );
    const seal = sealOf(['Kindred', 'Butler', 1250, 3]);
    for (const one of [seal, null, seal + 1]) insert.run('Kindred', 'Butler', 1250, 3, one);
  });

  afterEach(() => {
    handle.close();
  });

  it('keeps every book as it is read, with the quantity as delivered and a seal on both rows', async () => {
    await move.up(runner);

    const book = { title: 'Kindred', author: 'Butler', price: 12.5, quantity: 3 };
    expect([read(CHECKED), read(BY_HAND)]).toEqual([
      { id: CHECKED, ...book },
      { id: BY_HAND, ...book },
    ]);
    const [item, ...others] = rows('stock_items') as { readonly seal: number | null }[];
    expect(item).toEqual({
      ...{ id: 'book-1', price: 1250, stock: 3, sold: 0, delivered: 3, set_number: 0, shown_in: 'books' },
      seal: sealOf(['book-1', 1250, 3, 0, 3, 0, 'books']),
    });
    expect(others.map(({ seal }) => seal)).toEqual([null, expect.any(Number)]);
  });

  it('leaves a damaged book damaged, in both rows', async () => {
    await move.up(runner);

    expect(() => read(DAMAGED)).toThrow('row 3 of books differs from what was written');
    const seal = handle.prepare("SELECT seal FROM stock_items WHERE id = 'book-3'").pluck().get();
    expect([null, sealOf(['book-3', 1250, 3, 0, 3, 0, 'books'])]).not.toContain(seal);
  });

  it.each([
    ['without its item', "DELETE FROM stock_items WHERE id = 'book-1'"],
    ['with an item whose quantities do not add up', "UPDATE stock_items SET stock = 2 WHERE id = 'book-1'"],
  ])('after which a book %s is damaged, not without a quantity', async (_, damage) => {
    await move.up(runner);
    handle.pragma('ignore_check_constraints = ON');
    handle.exec(damage);
    expect(() => read(CHECKED)).toThrow('row book-1 of stock_items is missing or differs from what was written');
  });

  it('undone, gives books back what is in stock, and leaves other items alone', async () => {
    const before = rows('books') as object[];
    await move.up(runner);
    handle.exec(`UPDATE stock_items SET stock = 1, sold = 2 WHERE id = 'book-1';
      INSERT INTO stock_items (id, price, stock, sold, delivered, set_number) VALUES ('other', 1, 2, 0, 2, 0)`);

    await move.down(runner);

    const [sold, ...others] = rows('books');
    expect(sold).toEqual({ ...before[0], quantity: 1, seal: sealOf(['Kindred', 'Butler', 1250, 1]) });
    expect(others).toEqual(before.slice(1));
    expect(rows('stock_items')).toEqual([expect.objectContaining({ id: 'other' })]);
  });
});
