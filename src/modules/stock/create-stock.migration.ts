import { sqlMigration } from '../../platform/sql/index.js';
import { type SealedTable, sealRows } from '../../platform/sql-check/index.js';

export const SEALED_STOCK: SealedTable = {
  table: 'stock_items',
  columns: ['id', 'price', 'stock', 'sold', 'delivered', 'set_number', 'shown_in'],
  key: ['id'],
};

/** Each row itself keeps what is promised of stock. */
export const CreateStock1764800000002 = sqlMigration('CreateStock1764800000002', {
  up: [
    `CREATE TABLE stock_items (
      id TEXT PRIMARY KEY NOT NULL,
      price INTEGER NOT NULL CHECK (price >= 0),
      stock INTEGER NOT NULL CHECK (stock >= 0),
      sold INTEGER NOT NULL CHECK (sold >= 0),
      delivered INTEGER NOT NULL,
      set_number INTEGER NOT NULL,
      shown_in TEXT,
      CHECK (stock + sold = delivered)
    ) STRICT, WITHOUT ROWID`,
    (runner) => sealRows(runner, SEALED_STOCK),
  ],
  down: ['DROP TABLE stock_items'],
});
