import type { Registry } from 'prom-client';
import type { Log } from '../../kernel/index.js';
import { GenerationCache, type SharedTierOptions, type VersionedSource } from '../cache/index.js';
import { countCacheReads, observeRedis } from '../observability/index.js';
import { monotonicMs, systemRandom, systemTimers } from '../process/index.js';
import {
  type ClusterAccess,
  type ClusterLocation,
  followCluster,
  RedisCacheTier,
  RedisClient,
} from '../redis/index.js';

interface SharedCacheOptions<V> {
  /** The size of the tier in this process; undefined: no tier keeps anything. */
  readonly maxBytes: number | undefined;
  /** Undefined: no Redis. */
  readonly location: ClusterLocation | undefined;
  readonly bytes: Pick<SharedTierOptions<V>, 'encode' | 'decode'>;
}

/** A cache in this process, and in the Redis Cluster where one runs, with its metrics. */
export class SharedCache<V extends { readonly bytes: Buffer }> {
  readonly reads: GenerationCache<V>;
  private client: RedisClient | undefined;
  private observed: RedisClient['observed'];
  private leave: () => void = () => undefined;

  constructor(
    source: VersionedSource,
    private readonly options: SharedCacheOptions<V>,
    private readonly own: { readonly log: Log; readonly registry: Registry },
  ) {
    this.reads = new GenerationCache<V>(source, options.maxBytes ?? 0);
    countCacheReads(own.registry, this.reads);
  }

  /** `off`: this process does without. */
  get redis(): 'available' | 'away' | 'off' {
    if (this.client === undefined) return 'off';
    return this.client.isReady ? 'available' : 'away';
  }

  /**
   * Shares reads through Redis as soon as it answers. Nothing waits for it. Calls `shared` with each tier: there is another one
   * when the cluster has moved.
   */
  share(shared?: (tier: RedisCacheTier) => void): void {
    const { maxBytes, location, bytes } = this.options;
    if (maxBytes === undefined || location === undefined) return;
    const ports = { log: this.own.log, nowMs: monotonicMs, random: systemRandom, timers: systemTimers };
    const open = (access: ClusterAccess): Promise<RedisClient> => RedisClient.open(access, ports);
    this.leave = followCluster(location, { ...ports, open }, (client) => {
      if (this.client === undefined) this.observed = observeRedis(this.own.registry, () => this.client?.known ?? []);
      this.client = client;
      client.observed = this.observed;
      const tier = new RedisCacheTier(client, systemRandom);
      this.reads.share({ tier, ...bytes, ports });
      shared?.(tier);
    });
  }

  close(): void {
    this.leave();
  }
}
