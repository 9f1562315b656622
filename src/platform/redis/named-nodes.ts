import type { ClusterLook } from './form-cluster.js';

/** What makes the nodes that REDIS_CLUSTER_NODES names usable. */
export function remedyFor(refusals: ClusterLook['refusals']): string {
  return [...refusals.values()].some(([lack]) => lack.endsWith('password'))
    ? 'set REDIS_PASSWORD to the password of that cluster'
    : 'REDIS_CLUSTER_NODES must name nodes of a Redis Cluster that runs';
}
