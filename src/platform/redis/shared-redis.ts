import type { Timers } from '../../kernel/index.js';
import { followCluster } from './follow-cluster.js';
import { RedisClient } from './redis-client.js';
import type { RedisOutagesPorts } from './redis-outages.js';
import type { ClusterAccess, ClusterLocation } from './server-files.js';

export interface SharedRedisPorts extends Pick<RedisOutagesPorts, 'log' | 'nowMs'> {
  readonly timers: Timers;
  /** Called once, with the nodes that the process has called; returns what is told of each call. */
  readonly observe: (known: () => RedisClient['known']) => RedisClient['observed'];
}

/** A part of the process that uses Redis. */
export interface RedisUse {
  /** What this part does while Redis does not answer, for the log. */
  readonly meanwhile: string;
  /** Called with each client: there is another one when the cluster has moved. */
  readonly opened?: (client: RedisClient) => void;
}

/**
 * The Redis Cluster of one process. All its parts share one client: one socket for each node, one map of slots, and one breaker for
 * each node, so that a node that one part found dead makes no other part wait. All calls have the same deadline, so sharing lengthens
 * none. It connects in the background once a part uses it and a cluster runs at the location; nothing waits for it.
 */
export class SharedRedis implements Pick<RedisClient, 'isReady' | 'call' | 'keyOnEachMaster'> {
  private readonly uses: RedisUse[] = [];
  private client: RedisClient | undefined;
  private observed: RedisClient['observed'];
  private leave: (() => void) | undefined;

  /** `location` undefined: no Redis. */
  constructor(
    private location: ClusterLocation | undefined,
    private readonly ports: SharedRedisPorts,
  ) {}

  get isReady(): boolean {
    return this.client?.isReady === true;
  }

  /** `off`: no part uses Redis, or no cluster was found yet. Looks at the nodes, within the deadline of a call. */
  async state(): Promise<'available' | 'unavailable' | 'off'> {
    if (this.client === undefined) return 'off';
    return (await this.client.answers()) ? 'available' : 'unavailable';
  }

  use(use: RedisUse): void {
    if (this.location === undefined) return;
    this.uses.push(use);
    if (this.client) use.opened?.(this.client);
    this.leave ??= this.follow(this.location);
  }

  /** As of the client. */
  call(name: string, args: Parameters<RedisClient['call']>[1]): Promise<unknown> {
    return this.client?.call(name, args) ?? Promise.reject(new Error('no Redis Cluster was found'));
  }

  /** As of the client. */
  keyOnEachMaster(prefix: string): readonly string[] {
    return this.client?.keyOnEachMaster(prefix) ?? [];
  }

  /** Nothing is called afterwards. */
  close(): void {
    this.location = undefined;
    this.leave?.();
  }

  private follow(location: ClusterLocation): () => void {
    const ports = {
      ...this.ports,
      meanwhile: () => this.uses.map(({ meanwhile }) => meanwhile).join('; '),
      ...(location.nodes.length === 0 && { passwordRemedy: 'restart the nodes: "npm stop", then "npm start"' }),
    };
    const open = (access: ClusterAccess): Promise<RedisClient> => RedisClient.open(access, ports);
    return followCluster(location, { ...ports, open }, (client) => {
      if (this.client === undefined) this.observed = this.ports.observe(() => this.client?.known ?? []);
      this.client = client;
      client.observed = this.observed;
      for (const { opened } of this.uses) opened?.(client);
    });
  }
}
