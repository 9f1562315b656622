import type { Registry } from 'prom-client';
import type { Log } from '../../kernel/index.js';
import { GenerationCache, type SharedTierOptions, type VersionedSource } from '../cache/index.js';
import { countCacheReads, observeRedis } from '../observability/index.js';
import { monotonicMs, systemRandom, systemTimers } from '../process/index.js';
import { clusterAccess, type ClusterLocation, RedisCacheTier, RedisClient } from '../redis/index.js';

export interface SharedCacheOptions<V> {
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
  private isClosed = false;

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

  /** Shares reads through Redis as soon as it answers. Nothing waits for it. Calls `shared` with the tier, if there is one. */
  share(shared?: (tier: RedisCacheTier) => void): void {
    this.join(shared).catch((error: unknown) => {
      this.own.log.warn('reads are not shared through Redis', { error: String(error) });
    });
  }

  close(): void {
    this.isClosed = true;
    this.client?.close();
  }

  private async join(shared: ((tier: RedisCacheTier) => void) | undefined): Promise<void> {
    const { maxBytes, location, bytes } = this.options;
    const access = maxBytes === undefined ? undefined : location && clusterAccess(location);
    if (access === undefined) return;
    const ports = { log: this.own.log, nowMs: monotonicMs, random: systemRandom, timers: systemTimers };
    const client = await RedisClient.open(access, ports);
    if (this.isClosed) {
      client.close();
      return;
    }
    this.client = client;
    observeRedis(this.own.registry, client);
    const tier = new RedisCacheTier(client, systemRandom);
    this.reads.share({ tier, ...bytes, ports });
    shared?.(tier);
  }
}
