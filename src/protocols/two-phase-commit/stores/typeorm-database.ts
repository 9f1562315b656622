import type { DataSource } from 'typeorm';
import { AppError, type Random } from '../../../kernel/index.js';
import { type StoredDatabase, StoredDatabaseEntity } from './typeorm-entities.js';
import type { TypeOrmTransactions } from './typeorm-transactions.js';

const THE_ROW = { key: 1 };
const ID_BYTES = 16;
const SQLITE_FULL_SYNCHRONOUS = 2;

/** The next life of the database, durable when it resolves; the first one makes the database's id. */
export async function beginLife(transactions: TypeOrmTransactions, random: Random): Promise<StoredDatabase> {
  const begin = (): Promise<StoredDatabase> =>
    transactions.run(async (manager) => {
      await manager.increment(StoredDatabaseEntity, THE_ROW, 'era', 1);
      const present = await manager.findOneBy(StoredDatabaseEntity, THE_ROW);
      if (present) return present;
      const first = { ...THE_ROW, id: Buffer.from(random.bytes(ID_BYTES)).toString('hex'), era: 1 };
      await manager.insert(StoredDatabaseEntity, { ...first });
      return first;
    });
  // Two processes may open a new database at once: the row is there for the second one's second attempt.
  return begin().catch(begin);
}

/** Throws `misconfigured` when a COMMIT would be answered before it is on the disk: a decision could be taken back. */
export async function refuseForgetfulDatabase(dataSource: DataSource): Promise<void> {
  const { type } = dataSource.options;
  if (type === 'better-sqlite3') {
    const rows = await dataSource.query<{ synchronous: number }[]>('PRAGMA synchronous');
    if ((rows[0]?.synchronous ?? 0) >= SQLITE_FULL_SYNCHRONOUS) return;
    throw misconfigured('`PRAGMA synchronous` must be FULL: set it in `prepareDatabase` of the DataSource');
  }
  if (type === 'postgres') {
    const rows = await dataSource.query<{ synchronous_commit: string }[]>('SHOW synchronous_commit');
    if (rows[0]?.synchronous_commit === 'off') throw misconfigured('`synchronous_commit` must not be off');
  }
}

function misconfigured(what: string): AppError {
  return new AppError('misconfigured', `a database that decides transactions must write durably: ${what}`, {
    retry: 'never',
  });
}
