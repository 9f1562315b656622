import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type SealedTable, sealRows, unsealRows } from '../../platform/sql-check/index.js';

export const SEALED_USERS: SealedTable = { table: 'users', columns: ['id', 'firstname', 'lastname'] };

export class SealUsers1764500000012 implements MigrationInterface {
  name = 'SealUsers1764500000012';

  up(runner: QueryRunner): Promise<void> {
    return sealRows(runner, SEALED_USERS);
  }

  down(runner: QueryRunner): Promise<void> {
    return unsealRows(runner, SEALED_USERS);
  }
}
