import type { Timers } from '../../kernel/index.js';
import type { SharedQuota, SharedUsage } from '../http/index.js';
import { followCluster } from './follow-cluster.js';
import { RedisClient, type RedisClientPorts } from './redis-client.js';
import { RedisQuota } from './redis-quota.js';
import type { ClusterAccess, ClusterLocation } from './server-files.js';

interface OpenQuota extends SharedQuota {
  /** Counts through Redis as soon as a cluster runs at the location and answers. Nothing waits for it. */
  join(location: ClusterLocation | undefined, secret: Uint8Array): void;
  close(): void;
}

/** A quota that is not available until it has joined a Redis Cluster. */
export function openQuota(ports: RedisClientPorts & { readonly timers: Timers }): OpenQuota {
  let quota: RedisQuota | undefined;
  let leave: () => void = () => undefined;
  return {
    get isAvailable() {
      return quota?.isAvailable === true;
    },
    add: (...counted): Promise<SharedUsage> =>
      quota ? quota.add(...counted) : Promise.reject(new Error('no Redis Cluster was joined')),
    join: (location, secret) => {
      if (location === undefined) return;
      const open = (access: ClusterAccess): Promise<RedisClient> => RedisClient.open(access, ports);
      leave = followCluster(location, { ...ports, open }, (client) => {
        quota = new RedisQuota(client, secret);
      });
    },
    close: () => {
      leave();
    },
  };
}
