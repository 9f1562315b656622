import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Ids above were chosen, or allotted behind chosen ones by versions that let these move the sequence. */
const MAX_ALLOCATED_ID = 1e12;

/** The last id that was allotted to a user: chosen ids do not move it, as they do SQLite's own sequence. */
export class CountUserIds1764500000002 implements MigrationInterface {
  name = 'CountUserIds1764500000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE user_ids (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      last INTEGER NOT NULL
    ) STRICT`);
    await runner.query(
      `INSERT INTO user_ids SELECT 1, coalesce(max(id), 0) FROM users WHERE id < ${String(MAX_ALLOCATED_ID)}`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE user_ids');
  }
}
