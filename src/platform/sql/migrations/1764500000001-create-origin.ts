import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The origin of the data beside this file. A file that already had an epoch is older than this table. */
export class CreateOrigin1764500000001 implements MigrationInterface {
  name = 'CreateOrigin1764500000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE origin (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      cluster_id TEXT
    ) STRICT`);
    await runner.query('INSERT INTO origin (id, cluster_id) SELECT 1, NULL WHERE EXISTS (SELECT 1 FROM meta)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE origin');
  }
}
