import type { Cluster, Command } from 'ioredis';
import { CalledNode } from './called-node.js';
import { isUsefulAnswer } from './error-replies.js';
import { credentials } from './node-connection.js';
import { RedisOutages, type RedisOutagesPorts } from './redis-outages.js';
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
/** Enough keys that each master of a small cluster serves one. */
const KEYS_TO_ASK = Array.from({ length: 32 }, (_, number) => `health:${String(number)}`);

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
  private readonly outages: RedisOutages;
  private isClosed = false;

  private constructor(
    private readonly driver: Driver,
    { nodes, password }: ClusterAccess,
    private readonly ports: RedisOutagesPorts,
    private readonly deadlineMs: number,
  ) {
    this.outages = new RedisOutages(ports);
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
        ...credentials(password),
        ...{ connectTimeout: socketTimeout, socketTimeout, connectionName: 'bifolio' },
        disconnectTimeout: DISCONNECT_WITHIN_MS,
        // A node that loads says so at once, and the driver prints no lines of its own.
        enableReadyCheck: false,
      },
    });
    this.outages.watch(this.cluster);
    this.cluster.on('refresh', () => {
      this.leaveOutReplaced();
    });
  }

  /** Connects in the background. Loads the driver, which is large. */
  static async open(
    access: ClusterAccess,
    ports: RedisOutagesPorts,
    callDeadlineMs = CALL_DEADLINE_MS,
  ): Promise<RedisClient> {
    return new RedisClient(await import('ioredis'), access, ports, callDeadlineMs);
  }

  /** The nodes that were called, and their state. */
  get known(): Iterable<CalledNode> {
    return this.nodes.values();
  }

  /** False while every call would be skipped, because the slots of no node are known. True tells nothing of the nodes. */
  get isReady(): boolean {
    return this.cluster.status === 'ready';
  }

  /** Asks each master. Resolves to whether one answers, within the deadline of a call. */
  async answers(): Promise<boolean> {
    if (!this.isReady) return false;
    const keys = new Map(KEYS_TO_ASK.map((key) => [this.cluster.slots[this.slotOf(key)]?.[0], key]));
    return Promise.any([...keys.values()].map((key) => this.call('exists', [key]))).then(
      () => true,
      () => false,
    );
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
      node = new CalledNode(name);
      this.nodes.set(name, node);
    }
    if (!node.admits(this.ports.nowMs())) throw new NodeSkipped(`Redis node ${name} failed a moment ago`);
    return node;
  }

  /** The breaker of a node that a takeover has replaced would stay open, because no call tries that node again. */
  private leaveOutReplaced(): void {
    const open = [...this.nodes.values()].filter(({ state }) => state !== 'closed');
    if (open.length === 0) return;
    const masters = new Set(Object.values(this.cluster.slots).map(([master]) => master));
    for (const node of open) if (!masters.has(node.name)) node.leftOut();
  }

  private send(node: CalledNode, command: Command): Promise<unknown> {
    const { nowMs } = this.ports;
    const startedMs = nowMs();
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const answered = (): void => {
        if (node.succeeded()) this.outages.nodeAnswers(node);
        this.observed?.(node.name, (nowMs() - startedMs) / 1_000);
      };
      const fail = (error: Error): void => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        if (isUsefulAnswer(error)) answered();
        else {
          node.failed(nowMs());
          if (!this.isClosed) this.outages.nodeFailed(node, error);
        }
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
}

const BYTES = { replyEncoding: null };
