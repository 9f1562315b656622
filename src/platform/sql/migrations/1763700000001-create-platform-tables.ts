import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Identity and epoch of the file, generations of its tables, and the operations that wrote to it. */
export class CreatePlatformTables1763700000001 implements MigrationInterface {
  name = 'CreatePlatformTables1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE meta (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      database_id TEXT NOT NULL,
      epoch INTEGER NOT NULL
    ) STRICT`);
    await runner.query(`CREATE TABLE generations (
      table_name TEXT PRIMARY KEY,
      generation INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`);
    await runner.query(`CREATE TABLE operations (
      id TEXT NOT NULL UNIQUE,
      scope TEXT UNIQUE,
      body_hmac TEXT,
      at_ms INTEGER NOT NULL,
      expires_at_ms INTEGER NOT NULL,
      status INTEGER NOT NULL,
      headers TEXT NOT NULL,
      body TEXT
    ) STRICT`);
    await runner.query('CREATE INDEX operations_by_expiry ON operations (expires_at_ms)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE operations');
    await runner.query('DROP TABLE generations');
    await runner.query('DROP TABLE meta');
  }
}
