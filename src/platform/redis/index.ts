export { type BreakerState, CalledNode, SKIPPED_FOR_MS } from './called-node.js';
export { missingOf, planCluster } from './cluster-plan.js';
export { findRedisServer } from './find-server.js';
export { followCluster } from './follow-cluster.js';
export { formCluster, type FormOptions, viewsOf } from './form-cluster.js';
export { freeNodePorts } from './free-ports.js';
export { answersPing, slotOf, viewOf, withNode } from './node-connection.js';
export {
  countSlots,
  type KnownNode,
  nameOf,
  type NodeView,
  parseNodeView,
  type RedisEndpoint,
  SLOTS,
} from './node-view.js';
export { RedisCacheTier } from './redis-cache-tier.js';
export { type OpenQuota, openQuota } from './open-quota.js';
export { RedisQuota } from './redis-quota.js';
export { CALL_DEADLINE_MS, NodeSkipped, RedisClient, type RedisClientPorts } from './redis-client.js';
export {
  type ClusterAccess,
  clusterAccess,
  type ClusterLocation,
  ensurePassword,
  nodeDirectory,
  removeClusterNodes,
  serverArguments,
  writeClusterNodes,
} from './server-files.js';
