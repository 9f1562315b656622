import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Only operations with a key are looked up by expiry; the others lie in the order of time, and their entries cost a page per commit. */
export class IndexKeysOnly1764600000002 implements MigrationInterface {
  name = 'IndexKeysOnly1764600000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("UPDATE operations SET owner = '' WHERE scope IS NOT NULL AND owner IS NULL");
    await runner.query('DROP INDEX operations_by_expiry');
    // The condition names a column of the index, so that counting the keys at a start reads the index alone.
    await runner.query(
      'CREATE INDEX operations_by_expiry ON operations (expires_at_ms, owner) WHERE owner IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX operations_by_expiry');
    await runner.query('CREATE INDEX operations_by_expiry ON operations (expires_at_ms, owner)');
  }
}
