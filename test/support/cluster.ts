import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { replicationAuthorization } from '../../src/protocols/replication/index.js';
import { AppProcess, removeDirectory, temporaryDirectory } from './app-process.js';
import type { Stored } from './audited-client.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';
import { ReplicaProcess } from './replica-process.js';
import { ShopClient } from './shop-client.js';
import { StandbyProcess } from './standby-process.js';

const REPLICAS = 4;
const SECRET = 'a secret for tests only';
/** Small, so that short loads meet new segments and snapshots. */
const SETTINGS = {
  ...{ CLUSTER_SECRET: SECRET, LOG_LEVEL: 'warn', SNAPSHOT_EVERY_BYTES: '40000', SEED: 'off' },
  // On a slow machine too, nothing is given up that would be done.
  ...{
    REPLICA_TIMEOUT_MS: '30000',
    PREPARE_DEADLINE_MS: '45000',
    WRITE_DEADLINE_MS: '60000',
    CHECKOUT_TIMEOUT_MS: '90000',
  },
};
const SETTLE_WITHIN_MS = 60_000;

export interface ReplicaStatus {
  readonly name: string;
  readonly state: 'in-sync' | 'catching-up' | 'snapshot' | 'quarantined' | 'unreachable';
  readonly position: number | null;
  readonly lag: number | null;
  readonly lastError: string | null;
}

export interface StateHash {
  readonly position: { readonly epoch: number; readonly seq: number; readonly hash: string };
  readonly stateHash: string;
}

interface ClusterStatus {
  readonly epoch: number;
  readonly position: { readonly epoch: number; readonly seq: number };
  readonly inSync: number;
  readonly replicas: ReplicaStatus[];
}

/**
 * The real app and four real replicas on free ports, without a supervisor: tests start and end each of them. What cannot
 * be started leaves no process behind.
 */
export class Cluster {
  readonly directory = temporaryDirectory();
  readonly replicas: readonly ReplicaProcess[];
  private running: AppProcess | undefined;

  private constructor(
    ports: readonly number[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.replicas = ports.map((port) => new ReplicaProcess(port, this.replicasDirectory, this.settings));
    mkdirSync(this.dataDirectory);
  }

  /** With every replica in sync. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const cluster = await Cluster.prepare(environment);
    await cluster.endUnless(cluster.startApp().then(() => cluster.settled()));
    return cluster;
  }

  /** The replicas, without an app yet. */
  static async prepare(environment: Readonly<Record<string, string>> = {}, replicas = REPLICAS): Promise<Cluster> {
    const ports: number[] = [];
    while (ports.length < replicas) ports.push(await freePort());
    const cluster = new Cluster(ports, environment);
    await cluster.endUnless(Promise.all(cluster.replicas.map((replica) => replica.start())));
    return cluster;
  }

  get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  get replicasDirectory(): string {
    return join(this.directory, 'replicas');
  }

  get app(): AppProcess {
    if (this.running === undefined) throw new Error('the app was not started');
    return this.running;
  }

  private get appSettings(): Readonly<Record<string, string>> {
    return { ...this.settings, REPLICA_PORTS: this.replicas.map(({ port }) => port).join(',') };
  }

  get settings(): Readonly<Record<string, string>> {
    return { ...SETTINGS, REPLICAS_DIR: this.replicasDirectory, DATA_DIR: this.dataDirectory, ...this.environment };
  }

  /** A standby of the app, which waits and is prepared. `takenOverBy` makes it the app. */
  startStandby(environment: Readonly<Record<string, string>> = {}): Promise<StandbyProcess> {
    return StandbyProcess.start(this.dataDirectory, { ...this.appSettings, ...environment });
  }

  /** Resolves when the standby listens as the app; it may still wait for replicas. */
  async takenOverBy(standby: StandbyProcess): Promise<void> {
    this.running = standby;
    await standby.promoted();
  }

  /** Resolves when it listens; it may still wait for replicas. */
  async startApp(environment: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    this.running = this.spawnApp(environment);
    await this.running.ready();
    return this.running;
  }

  /** Starts without waiting: for lives that are to refuse. */
  spawnApp(environment: Readonly<Record<string, string>> = {}, dataDirectory = this.dataDirectory): AppProcess {
    return AppProcess.spawn(dataDirectory, { ...this.appSettings, ...environment, DATA_DIR: dataDirectory });
  }

  /** Everything that is dead is started again. */
  async revive(): Promise<void> {
    await Promise.all(this.replicas.filter(({ isRunning }) => !isRunning).map((replica) => replica.start()));
    if (this.app.hasExited) await this.startApp();
  }

  async status(): Promise<ClusterStatus> {
    const response = await fetch(`${this.app.url}/replication/status`);
    return (await response.json()) as ClusterStatus;
  }

  /** Resolves when all of them, or so many, are in sync; all: by their own word as well, and the app shows its data. */
  async settled(inSync = this.replicas.length): Promise<void> {
    await eventually(
      async () => {
        if (this.app.hasExited) throw new Error(`the app ended: ${this.app.printed}`);
        const status = await this.status();
        if (status.inSync !== inSync) throw new Error(JSON.stringify(status));
        if (inSync < this.replicas.length) return;
        // One that died and came back may be taken for the one that it was, until it is spoken to.
        const position = `${String(status.position.epoch)}.${String(status.position.seq)}`;
        for (const { url } of this.replicas)
          await expectReady(url, ({ documents }) => documents?.position === position);
        await expectReady(this.app.url, () => true);
      },
      { withinMs: SETTLE_WITHIN_MS },
    );
  }

  /** One sentence for each difference between the nodes: in their customers, or in their state hashes. */
  async differences(nodes: readonly { readonly url: string }[] = [this.app, ...this.replicas]): Promise<string[]> {
    const hashes = await Promise.all(nodes.map(({ url }) => stateHashOf(url)));
    const customers = await Promise.all(nodes.map(({ url }) => customersOn(url)));
    const [first] = hashes;
    const [expected = new Map<number, string>()] = customers;
    return nodes.flatMap(({ url }, index) => {
      const isSame = JSON.stringify(hashes[index]) === JSON.stringify(first);
      const other = isSame ? [] : [`${url} has ${JSON.stringify(hashes[index])} and not ${JSON.stringify(first)}`];
      const found = [...(customers[index] ?? [])];
      const isEqual = found.length === expected.size && found.every(([id, name]) => expected.get(id) === name);
      return isEqual ? other : [...other, `${url} has other customers`];
    });
  }

  async end(): Promise<void> {
    await this.running?.kill();
    await Promise.all(this.replicas.map((replica) => replica.kill()));
    removeDirectory(this.directory);
  }

  private async endUnless(begun: Promise<unknown>): Promise<void> {
    await begun.catch(async (error: unknown) => {
      await this.end();
      throw error;
    });
  }
}

type Details = Readonly<Record<string, { readonly position?: string } | undefined>>;

async function expectReady(url: string, isAsWanted: (details: Details) => boolean): Promise<void> {
  const response = await fetch(`${url}/health/ready`);
  const { details = {} } = (await response.json()) as { details?: Details };
  if (response.status !== 200 || !isAsWanted(details)) {
    throw new Error(`${url} is not ready: ${String(response.status)} ${JSON.stringify(details)}`);
  }
}

export async function stateHashOf(url: string, secret = SECRET): Promise<StateHash> {
  const headers = { authorization: replicationAuthorization(secret) };
  const response = await fetch(`${url}/replication/state-hash`, { headers });
  if (response.status !== 200) throw new Error(`${url} has no state hash: ${await response.text()}`);
  return (await response.json()) as StateHash;
}

/** Names by id. */
export async function customersOn(url: string): Promise<Stored> {
  const shop = new ShopClient(url);
  try {
    return await shop.customers();
  } finally {
    await shop.close();
  }
}
