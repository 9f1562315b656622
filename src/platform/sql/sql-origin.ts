import type { SqlDatabase } from './sql-database.js';

/**
 * What this file says of its first start.
 * - `unknown`: it has just been made, and nobody has looked at what is beside it.
 * - `new`: it was made beside documents that were empty, in a directory without data. The first history of theirs gets
 *   `clusterId`; with another one they have come from somewhere else since.
 * - `settled`: its first start is over, or was not the first of its directory.
 */
export type SqlOrigin = { readonly kind: 'unknown' | 'settled' } | { readonly kind: 'new'; readonly clusterId: string };

export function readOrigin({ writeHandle }: Pick<SqlDatabase, 'writeHandle'>): SqlOrigin {
  const row = writeHandle.prepare<[], { cluster_id: string | null }>('SELECT cluster_id FROM origin').get();
  if (row === undefined) return { kind: 'unknown' };
  return row.cluster_id === null ? { kind: 'settled' } : { kind: 'new', clusterId: row.cluster_id };
}

/** Only inside work of the write executor. */
export function writeOrigin({ writeHandle }: Pick<SqlDatabase, 'writeHandle'>, origin: SqlOrigin): void {
  writeHandle
    .prepare(
      'INSERT INTO origin (id, cluster_id) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET cluster_id = excluded.cluster_id',
    )
    .run(origin.kind === 'new' ? origin.clusterId : null);
}
