import type { AppConfig } from '../../config/index.js';
import { AppError, type CrashSites, isAppError, type Log } from '../../kernel/index.js';
import { BOOKS_2PC, withCustomersUpdated } from '../../modules/books-2pc/index.js';
import { completedAnswer, type CompleteBody } from '../../modules/transactions/index.js';
import type { Answer } from '../../platform/http/index.js';
import { risingUuids, systemClock, systemRandom, systemTimers } from '../../platform/process/index.js';
import { SqlTransactionTable, TransactionOperationLedger } from '../../platform/sql/index.js';
import type { ReplicationPrimary } from '../../protocols/replication/index.js';
import {
  DocumentParticipant,
  DOCUMENTS,
  type EndedTransaction,
  type Participant,
  SqliteLastResource,
  type SqlWork,
  TransactionCoordinator,
} from '../../protocols/two-phase-commit/index.js';
import { settleUnmatched } from './settle-unmatched.js';
import type { OpenedStores } from './open.js';

/** Enough time to answer the transactions that clients wait for. */
const CLOSE_WITHIN_MS = 250;
/** By kind of transaction; other kinds are answered with the recorded body. */
const COMPLETE_BODY: Readonly<Record<string, CompleteBody>> = { [BOOKS_2PC]: withCustomersUpdated };

export interface Transactions {
  readonly coordinator: TransactionCoordinator<SqlWork>;
  readonly documents: DocumentParticipant;
  readonly participants: readonly Participant<never>[];
  readonly table: SqlTransactionTable;
  readonly operations: TransactionOperationLedger<Answer>;
  /**
   * Decides and carries out what an earlier incarnation left, and continues to do so. Nothing may be read or begun before it
   * resolves. Rejects with `recovery-needed`, having changed nothing, when one store is an older copy.
   */
  open(): Promise<void>;
  /** Resolves when no transaction is under way, or after a time limit. The next start recovers the rest. */
  close(): Promise<void>;
}

export function transact(
  config: AppConfig['transactions'],
  { bookstore, sqlFiles, documents: store }: OpenedStores,
  replication: ReplicationPrimary,
  own: { readonly log: Log; readonly crashSites: CrashSites; readonly ended: (transaction: EndedTransaction) => void },
): Transactions {
  const { database: sql, operations: sqlOperations } = bookstore;
  const documents = new DocumentParticipant(store, replication, config);
  const table = new SqlTransactionTable(sql, { clock: systemClock, log: own.log }, (acknowledgements) => {
    const position = acknowledgements[DOCUMENTS]?.position;
    return position === undefined || store.hasForgotten(position);
  });
  const served = sqlFiles.flatMap((file) => file.served);
  const participants = [documents, ...served.flatMap(({ participant }) => participant ?? [])];
  const lastResource = new SqliteLastResource(sql, table);
  const coordinator = new TransactionCoordinator<SqlWork>(
    {
      participants,
      lastResource,
      ...{ timers: systemTimers, clock: systemClock, log: own.log, crashSites: own.crashSites },
      newId: risingUuids({ clock: systemClock, random: systemRandom }),
      ended: own.ended,
    },
    config,
  );
  const operations = new TransactionOperationLedger(
    sqlOperations,
    table,
    (answer, { kind, positions }, acknowledgements) =>
      completedAnswer({ answer, promisedAt: positions[DOCUMENTS] }, acknowledgements[DOCUMENTS], COMPLETE_BODY[kind]),
  );
  let isClosed = false;
  let stop: () => void = () => undefined;
  return {
    coordinator,
    documents,
    participants,
    table,
    operations,
    open: async () => {
      await coordinator.recoverAtStart(store.unmatched()).catch(refuse);
      await settleUnmatched(store, (id) => table.decisionOf(id) !== undefined, own.log);
      if (!isClosed) stop = coordinator.keepRecovering();
    },
    close: async () => {
      isClosed = true;
      stop();
      await coordinator.drained(CLOSE_WITHIN_MS);
    },
  };
}

/** Adds to the error what a person can do. */
function refuse(error: unknown): never {
  if (!isAppError(error, 'recovery-needed')) throw error;
  const wayOut =
    'Replace the older copy, bookstore.db (without -wal and -shm) or documents, with the right one; if that is lost for good, ' +
    'accept the loss with npm run transactions:accept -- --reason "...". No transaction was decided';
  throw new AppError('recovery-needed', `${error.message} ${wayOut}`, { retry: 'never', cause: error });
}
