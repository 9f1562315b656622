import { Column, Entity, type MigrationInterface, PrimaryColumn, type QueryRunner } from 'typeorm';

@Entity('invoices')
export class InvoiceEntity {
  @PrimaryColumn('text')
  number!: string;

  @Column('text')
  account!: string;

  @Column('integer', { name: 'amount_cents' })
  amountCents!: number;

  @Column('text', { name: 'transaction_id' })
  transactionId!: string;
}

export class CreateInvoices1763800000001 implements MigrationInterface {
  name = 'CreateInvoices1763800000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "invoices" (
      "number" text PRIMARY KEY NOT NULL,
      "account" text NOT NULL,
      "amount_cents" integer NOT NULL,
      "transaction_id" text NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "invoices"');
  }
}
