import type { Cluster, Command } from 'ioredis';
import type { Log } from '../../kernel/index.js';
import { CalledNode } from './called-node.js';
import type { ClusterAccess } from './server-files.js';

/** The deadline of each call. */
const CALL_DEADLINE_MS = 100;
/**
 * A socket that owes an answer for so many deadlines (250 ms) is closed. Only that leads ioredis away from a stopped node, which
 * keeps its connections open; a deadline per command does not.
 */
const SOCKET_DEADLINES = 2.5;
/** How often ioredis asks one of the nodes which node serves which slot. It finds the new primary after a takeover. */
const SLOTS_EVERY_MS = 500;
const RECONNECT_EVERY_MS = 500;
/** A stopped node never ends its side of a connection. */
const DISCONNECT_WITHIN_MS = 50;
/** A long budget executes commands twice when a node dies. */
const MAX_REDIRECTIONS = 3;
/** While a slot moves, a command of two keys gets TRYAGAIN. All its retries fit into the deadline. */
const TRY_AGAIN_AFTER_MS = 5;

export interface RedisClientPorts {
  readonly log: Log;
  readonly nowMs: () => number;
}

interface Driver {
  readonly Cluster: typeof Cluster;
  readonly Command: typeof Command;
}

/** No call was made: no node serves the key, or the node's breaker is open. */
export class NodeSkipped extends Error {
  override readonly name = 'NodeSkipped';
}

/**
 * A client of a Redis Cluster for data that may be lost. It sends each command by itself: while a slot moves, pipelined reads miss
 * keys that exist. A rejected command may have been executed, or may be executed later.
 */
export class RedisClient {
  /** Called with the node's name and the seconds of each call that it answered. */
  observed: ((node: string, seconds: number) => void) | undefined;
  private readonly cluster: Cluster;
  private readonly nodes = new Map<string, CalledNode>();
  private isAway = false;
  private isClosed = false;

  private constructor(
    private readonly driver: Driver,
    { nodes, password }: ClusterAccess,
    private readonly ports: RedisClientPorts,
    private readonly deadlineMs: number,
  ) {
    const socketTimeout = SOCKET_DEADLINES * deadlineMs;
    this.cluster = new driver.Cluster([...nodes], {
      enableAutoPipelining: false,
      maxRedirections: MAX_REDIRECTIONS,
      retryDelayOnTryAgain: TRY_AGAIN_AFTER_MS,
      // Without these retries ioredis rejects at once, and the next read decides again where to ask.
      ...{ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 },
      ...{ slotsRefreshInterval: SLOTS_EVERY_MS, slotsRefreshTimeout: socketTimeout },
      clusterRetryStrategy: () => RECONNECT_EVERY_MS,
      redisOptions: {
        ...(password !== undefined && { password }),
        ...{ connectTimeout: socketTimeout, socketTimeout, connectionName: 'bifolio' },
        disconnectTimeout: DISCONNECT_WITHIN_MS,
      },
    });
    this.cluster.on('error', (error: unknown) => {
      this.noteAway(error);
    });
    this.cluster.on('ready', () => {
      this.noteReady();
    });
  }

  /** Connects in the background. Loads the driver, which is large. */
  static async open(
    access: ClusterAccess,
    ports: RedisClientPorts,
    callDeadlineMs = CALL_DEADLINE_MS,
  ): Promise<RedisClient> {
    return new RedisClient(await import('ioredis'), access, ports, callDeadlineMs);
  }

  /** The nodes that were called, and their state. */
  get known(): Iterable<CalledNode> {
    return this.nodes.values();
  }

  /** False while no node can be asked. */
  get isReady(): boolean {
    return this.cluster.status === 'ready';
  }

  /** The bytes of a key; undefined when there is no such key. Rejects as `call` does. */
  async get(key: string): Promise<Buffer | undefined> {
    const command = this.command('get', [key]);
    const node = this.nodeOf(command);
    const bytes = (await this.send(node, command)) as Buffer | null;
    if (bytes === null) {
      node.misses += 1;
      return undefined;
    }
    node.hits += 1;
    return bytes;
  }

  /**
   * Runs one command whose keys share a slot; texts come back as bytes. Settles within the deadline. Rejects with NodeSkipped when
   * nothing was sent.
   */
  async call(name: string, args: readonly (string | number | Buffer)[]): Promise<unknown> {
    const command = this.command(name, args);
    return this.send(this.nodeOf(command), command);
  }

  slotOf(key: string): number {
    return this.command('get', [key]).getSlot();
  }

  /**
   * One key on each master that serves slots now: `prefix` with a hash tag. The masters are those that the cluster named last; none
   * while no node can be asked.
   */
  keyOnEachMaster(prefix: string): readonly string[] {
    if (!this.isReady) return [];
    const { slots } = this.cluster;
    const missing = new Set(Object.values(slots).flatMap(([master]) => master ?? []));
    const keys: string[] = [];
    for (let tag = 0; missing.size > 0; tag += 1) {
      const key = `${prefix}:{${String(tag)}}`;
      const [master = ''] = slots[this.slotOf(key)] ?? [];
      if (missing.delete(master)) keys.push(key);
    }
    return keys;
  }

  /** Ends all connections at once. Calls under way reject. */
  close(): void {
    this.isClosed = true;
    this.cluster.disconnect();
    // A refresh of the slots that is under way sets the timer of the next one: the second call clears that.
    this.cluster.refreshSlotsCache(() => {
      this.cluster.disconnect();
    });
  }

  private command(name: string, args: readonly (string | number | Buffer)[]): Command {
    return new this.driver.Command(name, [...args], BYTES);
  }

  private nodeOf(command: Command): CalledNode {
    const name = this.isReady ? this.cluster.slots[command.getSlot()]?.[0] : undefined;
    if (name === undefined) throw new NodeSkipped('no Redis node serves the slot of the key');
    let node = this.nodes.get(name);
    if (node === undefined) {
      node = new CalledNode(name, (changed) => {
        this.noteChange(changed);
      });
      this.nodes.set(name, node);
    }
    if (!node.admits(this.ports.nowMs())) throw new NodeSkipped(`Redis node ${name} failed a moment ago`);
    return node;
  }

  private send(node: CalledNode, command: Command): Promise<unknown> {
    const { nowMs } = this.ports;
    const startedMs = nowMs();
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const answered = (): void => {
        node.succeeded();
        this.observed?.(node.name, (nowMs() - startedMs) / 1_000);
      };
      const fail = (error: Error): void => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        if (isAnswer(error)) answered();
        else node.failed(nowMs());
        reject(error);
      };
      const timer = setTimeout(() => {
        // An answer that came while this process was busy is read first.
        setImmediate(() => {
          fail(new Error(`Redis node ${node.name} did not answer within ${String(this.deadlineMs)} ms`));
        });
      }, this.deadlineMs);
      this.cluster.sendCommand(command);
      command.promise.then((reply: unknown) => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        answered();
        resolve(reply);
      }, fail);
    });
  }

  private noteChange(node: CalledNode): void {
    if (this.isClosed) return;
    if (node.state === 'closed') this.ports.log.info('a Redis node answers again', { node: node.name });
    else this.ports.log.warn('a Redis node failed: reads go to the database until it answers', { node: node.name });
  }

  private noteAway(error: unknown): void {
    if (this.isAway || this.isClosed) return;
    this.isAway = true;
    this.ports.log.warn('no Redis node answers: reads go to the database', { error: String(error) });
  }

  private noteReady(): void {
    if (this.isAway) this.ports.log.info('the Redis Cluster answers again');
    this.isAway = false;
  }
}

/** Whether a node answered with this error. The driver wraps the last one when the redirections are used up. */
function isAnswer({ name, message }: Error): boolean {
  return name === 'ReplyError' || message.startsWith('Too many Cluster redirections. Last error: ReplyError');
}

const BYTES = { replyEncoding: null };
