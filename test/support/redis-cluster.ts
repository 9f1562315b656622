import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import {
  answersPing,
  ensurePassword,
  findRedisServer,
  formCluster,
  makeNodeDirectory,
  freeNodePorts,
  nameOf,
  type NodeView,
  type RedisEndpoint,
  slotOf,
  serverArguments,
  viewOf,
  viewsOf,
  withNode,
  writeClusterNodes,
} from '../../src/platform/redis/index.js';
import { eventually } from './eventually.js';
import { firstNodePort } from './ports.js';

const HOST = '127.0.0.1';
const NODES = 6;
const READY_WITHIN_MS = 60_000;
const STARTS = 5;

const { REDIS_SERVER_BIN, PATH = '' } = process.env;
const serverProgram = findRedisServer(REDIS_SERVER_BIN || undefined, PATH);

/** Tests that need a Redis server or, where this machine has none, one test that says so, and fails in CI. */
export function describeWithRedis(name: string, tests: () => void): void {
  describe(name, () => {
    if (serverProgram !== undefined) {
      tests();
      return;
    }
    it('was skipped: this machine has no redis-server, "npm run setup" installs it', () => {
      expect(process.env['CI'] ?? '').toBe('');
    });
  });
}

/** The same, on six real nodes. */
export function describeOnRedis(name: string, tests: (cluster: () => RedisCluster) => void): void {
  describeWithRedis(name, () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await RedisCluster.start();
    });
    afterAll(() => cluster.close());
    tests(() => cluster);
  });
}

export interface RedisNode extends RedisEndpoint {
  /** Counted from 1. Nodes 1 to 3 are the masters of a new cluster, 4 to 6 their replicas, in this order. */
  readonly number: number;
}

/** A real Redis Cluster of six nodes on free ports, with the configuration of `npm start` and a password. */
export class RedisCluster {
  private readonly processes = new Map<number, ChildProcess>();

  private constructor(
    /** The directory that `clusterAccess` reads. */
    readonly directory: string,
    readonly password: string,
    public nodes: readonly RedisNode[],
  ) {}

  /** Rejects, and leaves nothing running, when the machine has no Redis server. */
  static async start(): Promise<RedisCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-redis-'));
    for (let starts = 1; ; starts += 1) {
      const cluster = new RedisCluster(directory, ensurePassword(directory), await freeNodes());
      try {
        await cluster.startAll();
        return cluster;
      } catch (error) {
        await cluster.close();
        // Another program may have taken a port since it was looked at.
        if (starts === STARTS || serverProgram === undefined) throw error;
      }
    }
  }

  /** Kills all nodes and starts them on other ports. */
  async moveAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.kill(node)));
    this.nodes = await freeNodes();
    await this.startAll();
  }

  private async startAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.restart(node)));
    writeClusterNodes(
      this.directory,
      this.nodes.map(({ host, port }) => ({ host, port })),
    );
    await this.waitUntilWhole();
  }

  /** `host:port` of each node with commas between them, for REDIS_CLUSTER_NODES. */
  get addresses(): string {
    return this.nodes.map(nameOf).join(',');
  }

  pidOf(node: RedisNode): number {
    const pid = this.processes.get(node.number)?.pid;
    if (pid === undefined) throw new Error(`node ${String(node.number)} does not run`);
    return pid;
  }

  /** Kills with SIGKILL; resolves when the process is gone. */
  async kill(node: RedisNode): Promise<void> {
    const child = this.processes.get(node.number);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Holds the process with SIGSTOP until `continue`. */
  stop(node: RedisNode): void {
    process.kill(this.pidOf(node), 'SIGSTOP');
  }

  continue(node: RedisNode): void {
    process.kill(this.pidOf(node), 'SIGCONT');
  }

  /** Starts a node that was killed, with the identity that it had. Resolves when it answers; `waitForLinkUp` waits for more. */
  async restart(node: RedisNode): Promise<void> {
    const log = openSync(this.logOf(node), 'a');
    makeNodeDirectory(this.directory, node.number);
    const args = serverArguments(this.directory, node.number, node);
    if (serverProgram === undefined) throw new Error('this machine has no redis-server: "npm run setup" installs it');
    const child = spawn(serverProgram, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.processes.set(node.number, child);
    await eventually(
      async () => {
        if (child.exitCode !== null) return;
        if (!(await answersPing(node, this.password))) throw new Error(`${nameOf(node)} does not answer`);
      },
      { withinMs: READY_WITHIN_MS, everyMs: 20 },
    );
    if (child.exitCode !== null) throw new Error(`${nameOf(node)} ended: ${readFileSync(this.logOf(node), 'utf8')}`);
  }

  /** Joins the nodes, of which all run, and waits until all slots are served and every replica follows its master. */
  async waitUntilWhole(): Promise<void> {
    const missing = await formCluster(this.nodes, this.password, { withinMs: READY_WITHIN_MS });
    if (missing !== undefined) throw new Error(`the Redis Cluster is not whole: ${missing}`);
  }

  /** The node that serves `key` in the eyes of most nodes that answer. */
  async masterOf(key: string): Promise<RedisNode> {
    return this.masterOfSlot(await this.slotOf(key));
  }

  async slotOf(key: string): Promise<number> {
    const [view] = await this.views();
    const node = this.nodeAt(view?.endpoint, 'no node answers');
    return slotOf(node, this.password, key);
  }

  async masterOfSlot(slot: number): Promise<RedisNode> {
    const masters = (await this.views()).filter(
      ({ itself }) =>
        itself.masterId === undefined && itself.slots.some(([first, last]) => first <= slot && slot <= last),
    );
    // A master that was killed and rejoins claims its slots until it hears of its successor, which has the higher epoch.
    const [latest] = masters.toSorted((one, other) => other.itself.epoch - one.itself.epoch);
    return this.nodeAt(latest?.endpoint, `no node serves slot ${String(slot)}`);
  }

  /** The replica that follows this master and answers. */
  async replicaOf(master: RedisNode): Promise<RedisNode> {
    const { itself } = await viewOf(master, this.password);
    const replica = (await this.views()).find((view) => view.itself.masterId === itself.id);
    return this.nodeAt(replica?.endpoint, `no node follows ${nameOf(master)}`);
  }

  /** Waits until each named node has its role in its own eyes. */
  async waitForRoles(roles: readonly (readonly [node: RedisNode, role: 'master' | 'replica'])[]): Promise<void> {
    await eventually(
      async () => {
        const found = await Promise.all(roles.map(async ([node]) => roleOf(await viewOf(node, this.password))));
        expect(found).toEqual(roles.map(([, role]) => role));
      },
      { withinMs: READY_WITHIN_MS, everyMs: 50 },
    );
  }

  /** Waits until the node follows a master and has all its data: from then on it can take over. */
  async waitForLinkUp(node: RedisNode): Promise<void> {
    await eventually(
      async () => {
        const view = await viewOf(node, this.password);
        expect([roleOf(view), view.isLinkUp]).toEqual(['replica', true]);
      },
      { withinMs: READY_WITHIN_MS, everyMs: 50 },
    );
  }

  /** What each node that answers says, in the order of `nodes`. */
  views(): Promise<readonly NodeView[]> {
    return viewsOf(this.nodes, this.password);
  }

  /** Runs a few commands on one node, over a connection of its own. */
  on<T>(node: RedisNode, task: (connection: Redis) => Promise<T>): Promise<T> {
    return withNode(node, this.password, task);
  }

  /** Ends all nodes, also held ones, and removes their files. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.kill(node)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private logOf({ number }: RedisNode): string {
    return join(this.directory, `node-${String(number)}.log`);
  }

  private nodeAt(endpoint: RedisEndpoint | undefined, complaint: string): RedisNode {
    const node = this.nodes.find(({ port }) => port === endpoint?.port);
    if (!node) throw new Error(complaint);
    return node;
  }
}

async function freeNodes(): Promise<readonly RedisNode[]> {
  const first = firstNodePort();
  const ports = await freeNodePorts(Array.from({ length: NODES }, (_, index) => first + index));
  return ports.map((port, index) => ({ host: HOST, port, number: index + 1 }));
}

function roleOf({ itself }: NodeView): 'master' | 'replica' {
  return itself.masterId === undefined ? 'master' : 'replica';
}
