import type { Registry } from 'prom-client';
import type { Log } from '../../kernel/index.js';
import { GenerationCache, type SharedTierOptions, type VersionedSource } from '../cache/index.js';
import { countCacheReads, observeRedis } from '../observability/index.js';
import { monotonicMs, systemRandom, systemTimers } from '../process/index.js';
import { type ClusterLocation, RedisCacheTier, SharedRedis, type SharedRedisPorts } from '../redis/index.js';

interface SharedCacheOptions<V> {
  /** The size of the tier in this process; undefined: no tier keeps anything. */
  readonly maxBytes: number | undefined;
  readonly bytes: Pick<SharedTierOptions<V>, 'encode' | 'decode'>;
}

interface SharedCachePorts {
  readonly log: Log;
  readonly registry: Registry;
  readonly redis: Pick<SharedRedis, 'use' | 'state'>;
}

/** The Redis Cluster of this process, with its metrics; `location` undefined: none. */
export function sharedRedis(
  location: ClusterLocation | undefined,
  { log, registry }: Omit<SharedCachePorts, 'redis'>,
): SharedRedis {
  const observe: SharedRedisPorts['observe'] = (known) => observeRedis(registry, known);
  return new SharedRedis(location, { log, nowMs: monotonicMs, timers: systemTimers, observe });
}

/** A cache in this process, and in the Redis Cluster where one runs, with its metrics. */
export class SharedCache<V extends { readonly bytes: Buffer }> {
  readonly reads: GenerationCache<V>;

  constructor(
    source: VersionedSource,
    private readonly options: SharedCacheOptions<V>,
    private readonly ports: SharedCachePorts,
  ) {
    this.reads = new GenerationCache<V>(source, options.maxBytes ?? 0);
    countCacheReads(ports.registry, this.reads);
  }

  /** `off`: this process does without. */
  async redis(): ReturnType<SharedRedis['state']> {
    return this.options.maxBytes === undefined ? 'off' : this.ports.redis.state();
  }

  /**
   * Shares reads through Redis as soon as it answers. Nothing waits for it. Calls `shared` with each tier: there is another one
   * when the cluster has moved.
   */
  share(shared?: (tier: RedisCacheTier) => void): void {
    const { maxBytes, bytes } = this.options;
    if (maxBytes === undefined) return;
    const ports = { log: this.ports.log, nowMs: monotonicMs, random: systemRandom, timers: systemTimers };
    this.ports.redis.use({
      meanwhile: 'lists are read from the database',
      opened: (client) => {
        const tier = new RedisCacheTier(client, systemRandom);
        this.reads.share({ tier, ...bytes, ports });
        shared?.(tier);
      },
    });
  }
}
