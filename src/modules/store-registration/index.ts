import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import type { CollectionDeclaration, DocumentWritten } from '../../platform/documents/index.js';
import type { Answer, QueryNames } from '../../platform/http/index.js';
import {
  PLATFORM_MIGRATIONS,
  type SqlDatabase,
  type SqlDatabaseOptions,
  type SqlFile,
  type SqlOperationLedger,
} from '../../platform/sql/index.js';
import type { SealedTable } from '../../platform/sql-check/index.js';
import type { SagaParticipant } from '../../protocols/saga/index.js';
import type { Participant } from '../../protocols/two-phase-commit/index.js';

type Services = Pick<INestApplicationContext, 'get'>;

/** Every part must be named: a store without seeds states `seed: undefined`. */
interface Registration {
  /** Unique, for people. */
  readonly name: string;
  /** By path: the query names that its routes read. */
  readonly queryNames: QueryNames;
  /** The sites in the store's own code where a fault test may kill the process. The app adds those of the drivers. */
  readonly crashSites: readonly string[];
  /** Adds the first data to a new data directory. The app calls it again after an interrupted start. */
  readonly seed: ((services: Services) => Promise<void>) | undefined;
}

export interface OpenSqlFile {
  readonly database: SqlDatabase;
  /** The ledger of all stores in this file. */
  readonly operations: SqlOperationLedger;
}

/** Tables in an SQL file. Stores that name the same file share its commits and its ledger of operations. */
export interface SqlStore extends Registration, Pick<SqlDatabaseOptions, 'entities' | 'migrations'> {
  readonly kind: 'sql';
  readonly file: SqlFile;
  /** The background check compares the rows of these tables with their checksums. */
  readonly sealed: readonly SealedTable[];
  /**
   * For tables whose ids the database allots: passes over all ids up to `id`. Runs inside work of the write executor, after the
   * loss of a file that may have allotted them.
   */
  readonly passOverIds: ((services: Services, id: number) => void) | undefined;
  /**
   * Ends what the last incarnation left unfinished. Awaited at each start, store after store, before requests are served and
   * before a checkout that it left is taken up.
   */
  readonly recover: ((services: Services) => Promise<void>) | undefined;
  /** Called once the file is open. `participant` takes part in transactions whose last resource is another file. */
  readonly serve: (file: OpenSqlFile) => {
    readonly module: Type | DynamicModule;
    readonly participant: Participant<never> | undefined;
    /** The steps of sagas that this store does; absent: none. */
    readonly saga?: SagaParticipant;
  };
}

export interface DocumentStoreRegistration extends Registration {
  readonly kind: 'documents';
  readonly collection: CollectionDeclaration;
  readonly module: Type;
  /** Answers a finished write, the first time and at each replay. */
  readonly answerOf: (written: DocumentWritten) => Answer;
}

/**
 * All that a store declares. From these declarations the app opens and closes files and collections, finds operations for
 * Idempotency-Key and `/operations`, reports their health, checks and watches their files, and serves their routes. `npm run backup`
 * copies each `file`, and the documents with each `collection`.
 */
export type StoreRegistration = SqlStore | DocumentStoreRegistration;

/** In the order in which an SQL file sees them. */
export function migrationsOf(file: SqlFile, registrations: readonly StoreRegistration[]): SqlStore['migrations'] {
  const ofStores = registrations.flatMap((store) =>
    store.kind === 'sql' && store.file === file ? store.migrations : [],
  );
  return [...PLATFORM_MIGRATIONS, ...ofStores];
}
