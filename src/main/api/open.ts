import { join } from 'node:path';
import { AppError, isAppError } from '../../kernel/index.js';
import { migrationsOf, type OpenSqlFile, type SqlStore } from '../../modules/store-registration/index.js';
import { DataFiles, WatchedDisk } from '../../platform/data-files/index.js';
import { type DocumentHistoryOptions, type DocumentsAhead, DocumentStore } from '../../platform/documents/index.js';
import { directoriesIn, NodeDisk } from '../../platform/disk/index.js';
import { programOf } from '../../platform/nodes/index.js';
import { logPort } from '../../platform/observability/index.js';
import { monotonicMs, nextTurn, systemClock, systemRandom, systemTimers } from '../../platform/process/index.js';
import { clusterSecret, secretFileIn } from '../../platform/secrets/index.js';
import {
  BOOKSTORE,
  SEALED_OPERATIONS,
  SqlDatabase,
  type SqlDatabasePorts,
  type SqlFile,
  sqlFileIn,
  SqlOperationLedger,
  type SqlOrigin,
  type WarmSqlFile,
} from '../../platform/sql/index.js';
import { DatabaseCheck } from './database-check.js';
import { originOf, warnOfLostStore } from './first-start.js';
import type { LockedDirectory } from './lock.js';
import { Phases } from './phases.js';
import type { ReadOfSql } from './sql-ahead.js';

const LOOK_AT_FILES_EVERY_MS = 250;

/** What a standby has done while another process owned the stores. */
export interface WarmStores {
  /** The SQL files that it had open. */
  readonly sqlFiles: readonly WarmSqlFile[];
  /** The documents that it has read, if it has. */
  readonly documents: Promise<DocumentsAhead | undefined>;
  /** What it has read of the SQL files. */
  readonly sql: ReadOfSql;
}

const NOTHING_WARM: WarmStores = { sqlFiles: [], documents: Promise.resolve(undefined), sql: {} };

export interface OpenedFile extends OpenSqlFile {
  /** As in `SqlFile`. */
  readonly name: string;
  readonly healthPart: string;
  readonly served: readonly ReturnType<SqlStore['serve']>[];
  readonly check: DatabaseCheck;
}

/** Each store is open and recovered from its own files. Nothing is shipped or served yet. */
export interface OpenedStores extends LockedDirectory {
  readonly bookstore: OpenedFile;
  readonly sqlFiles: readonly OpenedFile[];
  readonly documents: DocumentStore;
  readonly files: DataFiles;
  readonly secret: string;
  readonly origin: SqlOrigin;
  readonly phases: Phases;
  readonly ahead: ReadOfSql;
  /** Rejects with `error`. A refused start leaves no SQLite log: SQLite would replay it into a copy put in its place. */
  abandon(error: unknown): Promise<never>;
  /** Everything is durable and closed, and the directory released, when it resolves. No write may be under way. */
  close(): Promise<void>;
}

/**
 * Rejects with one AppError, leaving nothing open, when a store cannot be opened. `warm`: what this process did while it waited, if
 * it did.
 */
export async function openStores(
  locked: LockedDirectory,
  warm = NOTHING_WARM,
  phases = new Phases(),
): Promise<OpenedStores> {
  const { config, registrations } = locked;
  const { dataDirectory, replicasDirectory, clusterSecret: given, ...storage } = config.storage;
  const sqlStores = registrations.filter((store) => store.kind === 'sql');
  const collections = registrations.flatMap((store) => (store.kind === 'documents' ? store.collection : []));
  const otherFiles = [...new Set(sqlStores.map(({ file }) => file))].filter((file) => file !== BOOKSTORE);
  refuseTwice('name', registrations);
  refuseTwice('collection', collections);
  refuseTwice('SQL file', [BOOKSTORE, ...otherFiles]);

  const disk = new NodeDisk();
  const log = logPort(locked.logger);
  const files = new DataFiles(log);
  const ports = {
    ...{ clock: systemClock, monotonicMs, random: systemRandom, timers: systemTimers, nextTurn, log, files },
    ...{ disk: new WatchedDisk(disk, files), crashSites: locked.crashSites, process: locked.process },
  };
  const openSql = (file: SqlFile): Promise<OpenedFile> =>
    phases.during(file.name, () =>
      openFile(
        ports,
        config.storage,
        file,
        sqlStores.filter((store) => store.file === file),
        warm.sqlFiles,
      ),
    );
  const openingSql = [openSql(BOOKSTORE), ...otherFiles.map(openSql)] as const;
  const abandonSql = async (error: unknown): Promise<never> => {
    for (const opened of await Promise.allSettled(openingSql)) {
      if (opened.status === 'fulfilled') await opened.value.database.abandon();
    }
    throw error;
  };
  const documentOptions: DocumentHistoryOptions = {
    ...{ ...storage, directory: documentsIn(dataDirectory), collections },
    // Replicas may have what is missing here; without replicas the data is lost.
    whenEndIsMissing: config.replication.nodes.length > 0 ? 'report' : 'refuse',
  };
  const openingDocuments = phases.during('documents', async () =>
    DocumentStore.open(ports, documentOptions, await warm.documents),
  );
  const [documents, ...sqlFiles] = await Promise.all([openingDocuments, ...openingSql]).catch(abandonSql);
  const [bookstore] = sqlFiles;
  const secret = await clusterSecret(
    { ...ports, disk },
    { given, dataDirectory, replicaDirectories: await directoriesIn(replicasDirectory), keepIn: [dataDirectory] },
  ).catch(abandonSql);
  files.keep(secretFileIn(dataDirectory));
  const origin = await originOf(bookstore.database, systemRandom).catch(abandonSql);
  warnOfLostStore(origin, documents, log);
  const endWatch = files.watch(systemTimers, LOOK_AT_FILES_EVERY_MS);
  return {
    ...locked,
    ...{ bookstore, sqlFiles, documents, files, secret, origin, phases, ahead: warm.sql },
    abandon: (error) => (isAppError(error, 'shutting-down') ? Promise.reject(error) : abandonSql(error)),
    close: async () => {
      await Promise.all(sqlFiles.map(({ check }) => check.end()));
      endWatch();
      await documents.close();
      for (const { database } of sqlFiles) await database.close();
      locked.release();
    },
  };
}

async function openFile(
  ports: SqlDatabasePorts,
  { dataDirectory, dataCheckEveryMs: everyMs }: LockedDirectory['config']['storage'],
  sqlFile: SqlFile,
  stores: readonly SqlStore[],
  warm: readonly WarmSqlFile[],
): Promise<OpenedFile> {
  const file = sqlFileIn(dataDirectory, sqlFile);
  const sealed = [...stores.flatMap((store) => store.sealed), SEALED_OPERATIONS];
  const database = await SqlDatabase.open(ports, {
    file,
    entities: stores.flatMap(({ entities }) => entities),
    migrations: migrationsOf(sqlFile, stores),
    isContinued: warm.some((one) => one.file === file && one.isContinued()),
  });
  const opened = { database, operations: new SqlOperationLedger(database, systemClock) };
  const check = new DatabaseCheck(ports, { file, sealed, program: () => programOf('checker'), everyMs });
  return { ...opened, ...sqlFile, check, served: stores.map(({ serve }) => serve(opened)) };
}

export function documentsIn(dataDirectory: string): string {
  return join(dataDirectory, 'documents');
}

/** Two stores with one name would write to the same data. */
function refuseTwice(what: string, declared: readonly { readonly name: string }[]): void {
  const names = declared.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new AppError('misconfigured', `two stores are registered with the ${what} "${twice}"`, { retry: 'never' });
}
