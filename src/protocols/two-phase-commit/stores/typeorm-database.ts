import { type DataSource, LessThan } from 'typeorm';
import { AppError, type Clock, type Random } from '../../../kernel/index.js';
import { StoredDatabaseEntity, StoredIncarnationEntity } from './typeorm-entities.js';
import type { TypeOrmTransactions } from './typeorm-transactions.js';

const THE_ROW = { key: 1 };
const ID_BYTES = 16;
const LIFE_BYTES = 6;
const LIVES_KEPT = 10_000;
const SQLITE_FULL_SYNCHRONOUS = 2;

/**
 * Begins an incarnation of the database, durable when it resolves; the first one makes the database's id. A copy made before does
 * not know it. Forgetting an old incarnation is safe: its in-doubt transactions are then left to a person.
 */
export async function beginIncarnation(
  transactions: TypeOrmTransactions,
  { random, clock }: { readonly random: Random; readonly clock: Clock },
): Promise<{ readonly id: string; readonly incarnation: number }> {
  const begin = (): Promise<{ readonly id: string; readonly incarnation: number }> =>
    transactions.run(async (manager) => {
      const incarnation = Buffer.from(random.bytes(LIFE_BYTES)).readUIntBE(0, LIFE_BYTES);
      const [leastKept] = await manager.find(StoredIncarnationEntity, {
        ...{ order: { beganAtMs: 'DESC' }, skip: LIVES_KEPT - 2, take: 1 },
      });
      if (leastKept) await manager.delete(StoredIncarnationEntity, { beganAtMs: LessThan(leastKept.beganAtMs) });
      await manager.insert(StoredIncarnationEntity, { id: incarnation, beganAtMs: clock.nowMs() });
      const present = await manager.findOneBy(StoredDatabaseEntity, THE_ROW);
      if (present) return { id: present.id, incarnation };
      const id = Buffer.from(random.bytes(ID_BYTES)).toString('hex');
      await manager.insert(StoredDatabaseEntity, { ...THE_ROW, id });
      return { id, incarnation };
    });
  // Two processes may open a new database at once; the second finds the row at its second attempt.
  return begin().catch(begin);
}

/** Throws `misconfigured` when the PostgreSQL client is too old to report whether its transaction is open. */
export async function refuseSilentClient(dataSource: DataSource): Promise<void> {
  if (dataSource.options.type !== 'postgres') return;
  const runner = dataSource.createQueryRunner();
  const client = (await runner.connect()) as { readonly getTransactionStatus?: unknown };
  await runner.release();
  if (typeof client.getTransactionStatus === 'function') return;
  throw misconfigured('`pg` must be 8.21 or newer, which reports the state of its transaction');
}

/** Throws `misconfigured` when the database answers a COMMIT before it is on disk, because it could lose the decision. */
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
  return new AppError('misconfigured', `this database cannot decide transactions: ${what}`, {
    retry: 'never',
  });
}
