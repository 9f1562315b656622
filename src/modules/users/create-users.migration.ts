import { sqlMigration } from '../../platform/sql/index.js';

export const CreateUsers1763700000004 = sqlMigration('CreateUsers1763700000004', {
  up: [
    `CREATE TABLE "users" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL CHECK ("id" > 0),
      "firstname" text NOT NULL,
      "lastname" text NOT NULL
    )`,
  ],
  down: ['DROP TABLE "users"'],
});
