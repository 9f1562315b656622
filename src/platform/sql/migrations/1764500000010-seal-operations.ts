import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type SealedTable, sealRows, unsealRows } from '../../sql-check/index.js';

export const SEALED_OPERATIONS: SealedTable = {
  table: 'operations',
  columns: ['id', 'body_hmac', 'at_ms', 'status', 'headers', 'body'],
};

export class SealOperations1764500000010 implements MigrationInterface {
  name = 'SealOperations1764500000010';

  up(runner: QueryRunner): Promise<void> {
    return sealRows(runner, SEALED_OPERATIONS);
  }

  down(runner: QueryRunner): Promise<void> {
    return unsealRows(runner, SEALED_OPERATIONS);
  }
}
