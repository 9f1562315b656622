import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whom the key of an operation counts for, and the counts that follow from that at a start, from an index alone. */
export class OwnKeys1764500000003 implements MigrationInterface {
  name = 'OwnKeys1764500000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE operations ADD COLUMN owner TEXT');
    await runner.query('DROP INDEX operations_by_expiry');
    await runner.query('CREATE INDEX operations_by_expiry ON operations (expires_at_ms, owner)');
    await runner.query('CREATE INDEX operations_without_key ON operations (expires_at_ms) WHERE scope IS NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX operations_without_key');
    await runner.query('DROP INDEX operations_by_expiry');
    await runner.query('CREATE INDEX operations_by_expiry ON operations (expires_at_ms)');
    await runner.query('ALTER TABLE operations DROP COLUMN owner');
  }
}
