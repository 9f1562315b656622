import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type SealedTable, sealRows, unsealRows } from '../../platform/sql-check/index.js';

export const SEALED_BOOKS: SealedTable = { table: 'books', columns: ['title', 'author', 'price_cents', 'quantity'] };

export class SealBooks1764500000011 implements MigrationInterface {
  name = 'SealBooks1764500000011';

  up(runner: QueryRunner): Promise<void> {
    return sealRows(runner, SEALED_BOOKS);
  }

  down(runner: QueryRunner): Promise<void> {
    return unsealRows(runner, SEALED_BOOKS);
  }
}
