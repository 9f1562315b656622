import type { Timers } from '../../kernel/index.js';
import type { SharedQuota, SharedUsage } from '../http/index.js';
import { RedisClient, type RedisClientPorts } from './redis-client.js';
import { RedisQuota } from './redis-quota.js';
import { clusterAccess, type ClusterLocation } from './server-files.js';

const LOOK_AGAIN_MS = 2_000;

export interface OpenQuota extends SharedQuota {
  /** Counts through Redis as soon as a cluster runs at the location and answers. Nothing waits for it. */
  join(location: ClusterLocation | undefined, secret: Uint8Array): void;
  close(): void;
}

/** A quota that is not available until it has joined a Redis Cluster. */
export function openQuota(ports: RedisClientPorts & { readonly timers: Timers }): OpenQuota {
  let client: RedisClient | undefined;
  let quota: RedisQuota | undefined;
  let isClosed = false;
  const look = async (location: ClusterLocation, secret: Uint8Array): Promise<void> => {
    if (isClosed) return;
    const access = clusterAccess(location);
    if (access === undefined) {
      ports.timers.after(LOOK_AGAIN_MS, () => {
        join(location, secret);
      });
      return;
    }
    client = await RedisClient.open(access, ports);
    if (isClosed) client.close();
    else quota = new RedisQuota(client, secret);
  };
  const join = (location: ClusterLocation | undefined, secret: Uint8Array): void => {
    if (location === undefined) return;
    look(location, secret).catch((error: unknown) => {
      ports.log.warn('requests are not counted through Redis', { error: String(error) });
    });
  };
  return {
    get isAvailable() {
      return quota?.isAvailable === true;
    },
    add: (...counted): Promise<SharedUsage> =>
      quota ? quota.add(...counted) : Promise.reject(new Error('no Redis Cluster was joined')),
    join,
    close: () => {
      isClosed = true;
      client?.close();
    },
  };
}
