import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateBooks1763700000002 implements MigrationInterface {
  name = 'CreateBooks1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "books" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "title" text NOT NULL,
      "author" text NOT NULL,
      "price_cents" integer NOT NULL CHECK ("price_cents" >= 0),
      "quantity" integer NOT NULL CHECK ("quantity" >= 0)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "books"');
  }
}
