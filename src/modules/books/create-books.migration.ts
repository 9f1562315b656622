import { sqlMigration } from '../../platform/sql/index.js';

export const CreateBooks1763700000002 = sqlMigration('CreateBooks1763700000002', {
  up: [
    `CREATE TABLE "books" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "title" text NOT NULL,
      "author" text NOT NULL,
      "price_cents" integer NOT NULL CHECK ("price_cents" >= 0),
      "quantity" integer NOT NULL CHECK ("quantity" >= 0)
    )`,
  ],
  down: ['DROP TABLE "books"'],
});
