import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { formCluster, viewsOf } from '../src/platform/redis/form-cluster.js';
import { freeNodePorts } from '../src/platform/redis/free-ports.js';
import { answersPing } from '../src/platform/redis/node-connection.js';
import { nameOf, type NodeView, type RedisEndpoint } from '../src/platform/redis/node-view.js';
import { ensurePassword, makeNodeDirectory, serverArguments } from '../src/platform/redis/server-files.js';
import { expect } from './expect.js';

const NODES = 6;
/** Ports and bus ports (10,000 higher) below those that systems give to clients. */
const FIRST_PORT = 20_000;
const PORTS = 2_700;
const POLL_MS = 5;
const GIVE_UP_AFTER_MS = 60_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Six Redis nodes in one cluster, on free ports and with the configuration of `npm start`. */
export class RedisNodes {
  private readonly processes = new Map<string, ChildProcess>();

  private constructor(
    private readonly directory: string,
    private readonly password: string,
    private readonly endpoints: readonly RedisEndpoint[],
  ) {}

  static async start(directory: string): Promise<RedisNodes> {
    mkdirSync(directory, { recursive: true });
    const first = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const ports = await freeNodePorts(Array.from({ length: NODES }, (_, index) => first + index));
    const endpoints = ports.map((port) => ({ host: '127.0.0.1', port }));
    const nodes = new RedisNodes(directory, ensurePassword(directory), endpoints);
    try {
      await Promise.all(endpoints.map((endpoint) => nodes.startNode(endpoint)));
      await nodes.whole();
      return nodes;
    } catch (error) {
      nodes.close();
      throw error;
    }
  }

  /** Settings of the app that uses these nodes. */
  get environment(): Readonly<Record<string, string>> {
    return { REDIS_CLUSTER_NODES: this.endpoints.map(nameOf).join(','), REDIS_PASSWORD: this.password };
  }

  /** Some node that is a master now, and its replica. */
  async shard(): Promise<{ readonly master: RedisEndpoint; readonly replica: RedisEndpoint }> {
    const views = await this.views();
    for (const { itself, endpoint: master } of views) {
      const replica = views.find((view) => view.itself.masterId === itself.id);
      if (replica !== undefined) return { master, replica: replica.endpoint };
    }
    throw new Error('no Redis node has a replica');
  }

  runs({ port }: RedisEndpoint): boolean {
    const child = this.processes.get(String(port));
    return child !== undefined && running.has(child);
  }

  signal({ port }: RedisEndpoint, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.processes.get(String(port))?.kill(signal);
  }

  /** Resolves as soon as the replica has taken over. */
  async takeover(replica: RedisEndpoint): Promise<void> {
    await this.until(
      async () => {
        const [view] = await viewsOf([replica], this.password);
        return view !== undefined && view.itself.masterId === undefined && view.itself.slots.length > 0;
      },
      `the takeover by ${nameOf(replica)}`,
    );
  }

  async startNode(endpoint: RedisEndpoint): Promise<void> {
    const number = this.endpoints.indexOf(endpoint) + 1;
    makeNodeDirectory(this.directory, number);
    const child = spawn('redis-server', serverArguments(this.directory, number, endpoint), { stdio: 'ignore' });
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.processes.set(String(endpoint.port), child);
    await this.until(() => answersPing(endpoint, this.password), `an answer of ${nameOf(endpoint)}`);
  }

  /** Resolves when all slots are served and every replica follows its master. */
  async whole(): Promise<void> {
    const missing = await formCluster(this.endpoints, this.password, { withinMs: GIVE_UP_AFTER_MS });
    expect(missing === undefined, `the Redis Cluster is not whole: ${missing ?? ''}`);
  }

  close(): void {
    for (const child of this.processes.values()) child.kill('SIGKILL');
  }

  private views(): Promise<readonly NodeView[]> {
    return viewsOf(this.endpoints, this.password);
  }

  private async until(isReached: () => Promise<boolean>, what: string): Promise<void> {
    const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
    while (!(await isReached())) {
      expect(performance.now() < giveUpAt, `${what}: not within ${GIVE_UP_AFTER_MS / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
