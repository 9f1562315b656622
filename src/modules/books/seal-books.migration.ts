import { sqlMigration } from '../../platform/sql/index.js';
import { type SealedTable, sealRows, unsealRows } from '../../platform/sql-check/index.js';

export const SEALED_BOOKS: SealedTable = { table: 'books', columns: ['title', 'author', 'price_cents', 'quantity'] };

export const SealBooks1764500000011 = sqlMigration('SealBooks1764500000011', {
  up: [(runner) => sealRows(runner, SEALED_BOOKS)],
  down: [(runner) => unsealRows(runner, SEALED_BOOKS)],
});
