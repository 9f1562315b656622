import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateUsers1763700000004 implements MigrationInterface {
  name = 'CreateUsers1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "users" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL CHECK ("id" > 0),
      "firstname" text NOT NULL,
      "lastname" text NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "users"');
  }
}
