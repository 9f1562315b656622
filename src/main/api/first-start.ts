import type { Clock, Log, Random } from '../../kernel/index.js';
import type { OpenSqlFile, StoreRegistration } from '../../modules/store-registration/index.js';
import type { DocumentStore } from '../../platform/documents/index.js';
import { BOOKSTORE, readOrigin, type SqlDatabase, type SqlOrigin, writeOrigin } from '../../platform/sql/index.js';

const CLUSTER_ID_BYTES = 16;
const YEAR_2020_MS = Date.UTC(2020, 0, 1);

interface FirstStartOptions {
  readonly registrations: readonly StoreRegistration[];
  readonly clock: Clock;
  readonly isSeeded: boolean;
  readonly services: Parameters<NonNullable<StoreRegistration['seed']>>[0];
}

/**
 * Records what the SQL file says of its first start at the first look, so that later looks get the same answer. A new file also
 * names the history that it expects beside it.
 */
export async function originOf(sql: SqlDatabase, random: Random): Promise<SqlOrigin> {
  const known = readOrigin(sql);
  if (known.kind !== 'unknown') return known;
  const clusterId = Buffer.from(random.bytes(CLUSTER_ID_BYTES)).toString('hex');
  const origin = { kind: 'new', clusterId } as const;
  await sql.writer.run(() => {
    writeOrigin(sql, origin);
  });
  return origin;
}

/** A start goes on when one store is new and the other is not, for it may have no copy; but nobody should miss it. */
export function warnOfLostStore(origin: SqlOrigin, { history }: Pick<DocumentStore, 'history'>, log: Log): void {
  const { clusterId } = history;
  const isSqlNew = origin.kind === 'new' && clusterId !== undefined && clusterId !== origin.clusterId;
  const areDocumentsNew = origin.kind !== 'new' && clusterId === undefined;
  if (!isSqlNew && !areDocumentsNew) return;
  const [lost, kept] = isSqlNew ? ['the SQL database', 'the documents'] : ['the documents', 'the SQL database'];
  log.warn(
    `${lost} did not exist and began empty, although ${kept} existed: stop and put the missing store back, unless it is lost`,
    {},
  );
}

/**
 * Runs after the documents have begun their epoch. Seeds a directory only when its documents began with this SQL file. Older
 * documents mean that the file was lost: ids that the lost file may have allotted are not allotted again.
 */
export async function endFirstStart(
  origin: SqlOrigin,
  { database }: Pick<OpenSqlFile, 'database'>,
  documents: Pick<DocumentStore, 'history'>,
  { registrations, clock, isSeeded, services }: FirstStartOptions,
): Promise<void> {
  if (origin.kind !== 'new') return;
  const isNew = documents.history.clusterId === origin.clusterId;
  if (isNew && isSeeded) for (const { seed } of registrations) await seed?.(services);
  await database.writer.run(() => {
    for (const store of isNew ? [] : registrations) {
      if (store.kind === 'sql' && store.file === BOOKSTORE) store.passOverIds?.(services, aboveAllLost(clock));
    }
    writeOrigin(database, { kind: 'settled' });
  });
}

/**
 * Exceeds all lost ids unless more than one per millisecond was allotted since 2020. Far below the highest id that callers may
 * choose.
 */
function aboveAllLost(clock: Clock): number {
  return clock.nowMs() - YEAR_2020_MS;
}
