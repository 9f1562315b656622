import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import type { CollectionDeclaration, DocumentWritten } from '../../platform/documents/index.js';
import type { Answer, QueryNames } from '../../platform/http/index.js';
import type { SqlDatabase, SqlDatabaseOptions, SqlFile, SqlOperationLedger } from '../../platform/sql/index.js';
import type { SealedTable } from '../../platform/sql-check/index.js';
import type { Participant } from '../../protocols/two-phase-commit/index.js';

type Services = Pick<INestApplicationContext, 'get'>;

/** Every part must be named: a store without seeds, say, states `seed: undefined`. */
interface Registration {
  /** Unique, for people. */
  readonly name: string;
  /** By path: the query names that its routes read. */
  readonly queryNames: QueryNames;
  /** Where a fault test may kill the process inside the store's own code. The app adds those of the drivers. */
  readonly crashSites: readonly string[];
  /** Adds the first data to a new data directory. The app calls it again after a start that was cut short. */
  readonly seed: ((services: Services) => Promise<void>) | undefined;
}

export interface OpenSqlFile {
  readonly database: SqlDatabase;
  /** Of all stores in this file. */
  readonly operations: SqlOperationLedger;
}

/** Tables in an SQL file. Stores that name the same file share its commits, and one ledger of operations. */
export interface SqlStore extends Registration, Pick<SqlDatabaseOptions, 'entities' | 'migrations'> {
  readonly kind: 'sql';
  readonly file: SqlFile;
  /** The background check compares the rows of these tables with their checksums. */
  readonly sealed: readonly SealedTable[];
  /**
   * For tables whose ids the database allots: allots none up to `id` from now on. Runs inside work of the write executor,
   * after the loss of a file that may have allotted them.
   */
  readonly passOverIds: ((services: Services, id: number) => void) | undefined;
  /** Called once, when the file is open. `participant`: takes part in transactions of which another file is the last resource. */
  readonly serve: (file: OpenSqlFile) => {
    readonly module: Type | DynamicModule;
    readonly participant: Participant<never> | undefined;
  };
}

/** One collection of the replicated documents. */
export interface DocumentStoreRegistration extends Registration {
  readonly kind: 'documents';
  readonly collection: CollectionDeclaration;
  readonly module: Type;
  /** The answer to a finished write, the first time and at each replay. */
  readonly answerOf: (written: DocumentWritten) => Answer;
}

/**
 * All that a store declares. From the list of these the app opens and closes files and collections, finds operations for
 * Idempotency-Key and `/operations`, tells their health, checks and watches their files, and serves their routes.
 */
export type StoreRegistration = SqlStore | DocumentStoreRegistration;
