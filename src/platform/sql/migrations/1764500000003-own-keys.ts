import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The owner of each operation's key, and an index that alone gives the counts per owner at startup. */
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
