import { sqlMigration } from '../../platform/sql/index.js';

/** Callers chose the ids above this one, or earlier versions allotted them after chosen ids had moved the sequence. */
const MAX_ALLOCATED_ID = 1e12;

/** Stores the last id allotted to a user. Chosen ids do not move it, although they move SQLite's own sequence. */
export const CountUserIds1764500000002 = sqlMigration('CountUserIds1764500000002', {
  up: [
    `CREATE TABLE user_ids (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      last INTEGER NOT NULL
    ) STRICT`,
    `INSERT INTO user_ids SELECT 1, coalesce(max(id), 0) FROM users WHERE id < ${String(MAX_ALLOCATED_ID)}`,
  ],
  down: ['DROP TABLE user_ids'],
});
