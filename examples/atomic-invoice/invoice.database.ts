import BetterSqlite3 from 'better-sqlite3';
import { DataSource } from 'typeorm';
import {
  CreateTransactionsTable1763700000004,
  TRANSACTION_ENTITIES,
} from '../../src/protocols/two-phase-commit/index.js';
import { CreateInvoices1763800000001, InvoiceEntity } from './invoice.entity.js';

/** One for the last resource, which nothing else may use, and one for everybody who reads. */
export async function openInvoiceDatabase(file: string): Promise<{ deciding: DataSource; reading: DataSource }> {
  const open = (migrations: (new () => object)[]): Promise<DataSource> =>
    new DataSource({
      type: 'better-sqlite3',
      database: file,
      driver: BetterSqlite3,
      entities: [InvoiceEntity, ...TRANSACTION_ENTITIES],
      migrations,
      migrationsRun: true,
      prepareDatabase: (handle: BetterSqlite3.Database) => {
        handle.pragma('journal_mode = WAL');
        handle.pragma('synchronous = FULL');
      },
    }).initialize();
  const deciding = await open([CreateTransactionsTable1763700000004, CreateInvoices1763800000001]);
  return { deciding, reading: await open([]) };
}
