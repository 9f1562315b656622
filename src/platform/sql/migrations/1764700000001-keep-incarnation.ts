import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The incarnation of the process that writes; part of every cache key. Null until the next start takes its epoch. */
export class KeepIncarnation1764700000001 implements MigrationInterface {
  name = 'KeepIncarnation1764700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE meta ADD COLUMN incarnation INTEGER');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE meta DROP COLUMN incarnation');
  }
}
