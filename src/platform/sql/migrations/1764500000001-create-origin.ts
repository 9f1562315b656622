import { sqlMigration } from '../sql-migration.js';

/** The origin of the data beside this file. A file that already had an epoch is older than this table. */
export const CreateOrigin1764500000001 = sqlMigration('CreateOrigin1764500000001', {
  up: [
    `CREATE TABLE origin (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      cluster_id TEXT
    ) STRICT`,
    'INSERT INTO origin (id, cluster_id) SELECT 1, NULL WHERE EXISTS (SELECT 1 FROM meta)',
  ],
  down: ['DROP TABLE origin'],
});
