import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operations without a key are forgotten in the order of their rows; an index of them cost a page in every commit. */
export class DropIndexWithoutKey1764600000001 implements MigrationInterface {
  name = 'DropIndexWithoutKey1764600000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX operations_without_key');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX operations_without_key ON operations (expires_at_ms) WHERE scope IS NULL');
  }
}
