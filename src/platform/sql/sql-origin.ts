import type { SqlDatabase } from './sql-database.js';

/**
 * What this file says about its first start.
 * - `unknown`: the file has just been made, and nothing has checked what is beside it.
 * - `new`: it was made beside empty documents, in a directory without data. Their first history gets `clusterId`; a history with
 *   another id has come from elsewhere since.
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
