import type { Clock, Random } from '../../kernel/index.js';
import { readOrigin, type SqlOrigin, type SqlWriteScope, writeOrigin } from '../../platform/sql/index.js';
import type { Stores } from './stores.js';

const CLUSTER_ID_BYTES = 16;
const YEAR_2020_MS = Date.UTC(2020, 0, 1);

/** Of a table whose rows get their ids here: none up to `id` is given from now on. */
export type PassOverIds = (scope: SqlWriteScope, id: number) => void;

interface FirstStartOptions {
  readonly clock: Clock;
  /** Puts the first books and customers in, or nothing; may be called again when it was cut short. */
  readonly seed: () => Promise<void>;
  readonly passOver: readonly PassOverIds[];
}

/**
 * What the SQL file says of its first start, written down at the first look: so the next look is told the same, whatever
 * happens in between. A file that has just been made names the history that it expects beside it.
 */
export async function originOf({ sql }: Pick<Stores, 'sql'>, random: Random): Promise<SqlOrigin> {
  const known = readOrigin(sql);
  if (known.kind !== 'unknown') return known;
  const clusterId = Buffer.from(random.bytes(CLUSTER_ID_BYTES)).toString('hex');
  const origin = { kind: 'new', clusterId } as const;
  await sql.writer.run(() => {
    writeOrigin(sql, origin);
  });
  return origin;
}

/**
 * Once the documents have begun their epoch. A directory is new when its documents began with this SQL file: only then it
 * is seeded. Documents that were there before are what is left of a loss: ids that the lost file may have given are not
 * given again.
 */
export async function endFirstStart(
  origin: SqlOrigin,
  { sql, documents }: Pick<Stores, 'sql' | 'documents'>,
  { clock, seed, passOver }: FirstStartOptions,
): Promise<void> {
  if (origin.kind !== 'new') return;
  const isNew = documents.history.clusterId === origin.clusterId;
  if (isNew) await seed();
  await sql.writer.run((scope) => {
    if (!isNew) passOver.forEach((each) => each(scope, aboveAllLost(clock)));
    writeOrigin(sql, { kind: 'settled' });
  });
}

/** Unless there was more than one in each millisecond since then. Far below the highest id that callers may choose. */
function aboveAllLost(clock: Clock): number {
  return clock.nowMs() - YEAR_2020_MS;
}
