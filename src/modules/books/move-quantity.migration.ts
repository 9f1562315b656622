import { sqlMigration } from '../../platform/sql/index.js';
import { resealRows, type SealedTable, sealOfColumns } from '../../platform/sql-check/index.js';
import { SEALED_BOOKS as SEALED_BEFORE } from './seal-books.migration.js';

export const SEALED_BOOKS: SealedTable = { table: 'books', columns: ['title', 'author', 'price_cents'] };

const ITEM = ["'book-' || id", 'price_cents', 'quantity', '0', 'quantity', '0', "'books'"];

/** Stock owns the quantity of a book. A damaged row stays damaged, and one without a seal stays without. */
export const MoveQuantity1764800000003 = sqlMigration('MoveQuantity1764800000003', {
  up: [
    `INSERT INTO stock_items (id, price, stock, sold, delivered, set_number, shown_in, seal)
     SELECT ${ITEM.join(', ')}, iif(seal = ${sealOfColumns(SEALED_BEFORE.columns)}, ${sealOfColumns(ITEM)}, seal) FROM books`,
    (runner) => resealRows(runner, SEALED_BEFORE, SEALED_BOOKS.columns),
    'ALTER TABLE books DROP COLUMN quantity',
  ],
  down: [
    'ALTER TABLE books ADD COLUMN quantity INTEGER NOT NULL DEFAULT 0 CHECK (quantity >= 0)',
    `UPDATE books SET quantity = stock FROM stock_items WHERE stock_items.id = 'book-' || books.id`,
    (runner) => resealRows(runner, SEALED_BOOKS, SEALED_BEFORE.columns),
    "DELETE FROM stock_items WHERE shown_in = 'books'",
  ],
});
