export { missingOf } from './cluster-plan.js';
export { findRedisServer } from './find-server.js';
export { type ClusterLook, formCluster, lookAt, viewsOf } from './form-cluster.js';
export { freeNodePorts } from './free-ports.js';
export { answersPing, directoryOf, lackIn, slotOf, viewOf, withNode } from './node-connection.js';
export { remedyFor } from './named-nodes.js';
export {
  countSlots,
  type KnownNode,
  type Lack,
  nameOf,
  type NodeView,
  parseNodeView,
  rangeName,
  type RedisEndpoint,
  SLOTS,
} from './node-view.js';
export { RedisCacheTier } from './redis-cache-tier.js';
export { type HeldLock, type LockOutcome, RedisLock, type RedisLockPorts } from './redis-lock.js';
export { QUOTA_USE, RedisQuota } from './redis-quota.js';
export { NodeSkipped, RedisClient } from './redis-client.js';
export { SharedRedis, type SharedRedisPorts } from './shared-redis.js';
export {
  type ClusterAccess,
  clusterAccess,
  type ClusterLocation,
  configFile,
  ensurePassword,
  makeNodeDirectory,
  type OwnCluster,
  passwordFile,
  removeClusterNodes,
  restoreClusterFiles,
  serverArguments,
  unreadableConfig,
  writeClusterNodes,
} from './server-files.js';
