import { join } from 'node:path';
import type { AppConfig } from '../../config/index.js';
import type { CrashSites, Log, ProcessControl } from '../../kernel/index.js';
import {
  BookEntity,
  CreateBooks1763700000002,
  SEALED_BOOKS,
  SealBooks1764500000011,
} from '../../modules/books/index.js';
import { COLLECTIONS } from '../../modules/collections/index.js';
import {
  CountUserIds1764500000002,
  CreateUsers1763700000004,
  SEALED_USERS,
  SealUsers1764500000012,
  UserEntity,
} from '../../modules/users/index.js';
import { GenerationCache } from '../../platform/cache/index.js';
import { type DataFiles, WatchedDisk } from '../../platform/data-files/index.js';
import { DocumentStore } from '../../platform/documents/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import type { PreparedBody } from '../../platform/http/index.js';
import { nextTurn, systemClock, systemRandom, systemTimers } from '../../platform/process/index.js';
import {
  bookstoreIn,
  CreatePlatformTables1763700000001,
  CreateOrigin1764500000001,
  CreateTransactions1763700000003,
  OwnKeys1764500000003,
  SEALED_OPERATIONS,
  SealOperations1764500000010,
  DropIndexWithoutKey1764600000001,
  SqlDatabase,
  SqlOperationLedger,
} from '../../platform/sql/index.js';
import type { SealedTable } from '../../platform/sql-check/index.js';

/** Whose rows are checked against what was written. */
export const SEALED_TABLES: readonly SealedTable[] = [SEALED_BOOKS, SEALED_USERS, SEALED_OPERATIONS];

export interface Stores {
  readonly sql: SqlDatabase;
  readonly sqlOperations: SqlOperationLedger;
  readonly documents: DocumentStore;
  readonly cache: GenerationCache<PreparedBody>;
  /** Durable and closed when it resolves. No write may be under way. */
  close(): Promise<void>;
}

export interface StorePorts {
  readonly crashSites: CrashSites;
  readonly process: ProcessControl;
  readonly log: Log;
  readonly files: DataFiles;
}

/** Opens and recovers everything under the data directory. The caller holds its lock. */
export async function openStores({ storage, cache, replication }: AppConfig, own: StorePorts): Promise<Stores> {
  const ports = {
    ...own,
    disk: new WatchedDisk(new NodeDisk(), own.files),
    clock: systemClock,
    random: systemRandom,
    nextTurn,
    timers: systemTimers,
  };
  const openingSql = SqlDatabase.open(ports, {
    file: bookstoreIn(storage.dataDirectory),
    entities: [BookEntity, UserEntity],
    migrations: [
      CreatePlatformTables1763700000001,
      CreateBooks1763700000002,
      CreateTransactions1763700000003,
      CreateUsers1763700000004,
      CreateOrigin1764500000001,
      CountUserIds1764500000002,
      OwnKeys1764500000003,
      SealOperations1764500000010,
      SealBooks1764500000011,
      SealUsers1764500000012,
      DropIndexWithoutKey1764600000001,
    ],
  });
  const openingDocuments = DocumentStore.open(ports, {
    directory: join(storage.dataDirectory, 'documents'),
    collections: COLLECTIONS,
    snapshotEveryBytes: storage.snapshotEveryBytes,
    journalReserveBytes: storage.journalReserveBytes,
    // Replicas may have what is missing here; without them nobody has.
    whenEndIsMissing: replication.nodes.length > 0 ? 'report' : 'refuse',
  });
  const [sql, documents] = await Promise.all([openingSql, openingDocuments]).catch(async (error: unknown) => {
    const [opened] = await Promise.allSettled([openingSql]);
    if (opened.status === 'fulfilled') await opened.value.abandon();
    throw error;
  });
  return {
    sql,
    sqlOperations: new SqlOperationLedger(sql, systemClock),
    documents,
    cache: new GenerationCache<PreparedBody>(sql.reader, {
      maxBytes: cache.maxBytes,
      namespace: `${sql.databaseId}:${String(sql.epoch)}`,
    }),
    close: async () => {
      await documents.close();
      await sql.close();
    },
  };
}
