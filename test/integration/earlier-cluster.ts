import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { clusterCommand, type CommandEnd } from '../support/cluster-command.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { ReplicaProcess } from '../support/replica-process.js';

const FOLDER = resolve('test/earlier-data');
/** So long after the data was made the processes take the time to be. */
const LATER_MS = 60_000;
const SETTLE_WITHIN_MS = 60_000;

/** A write with a key, and what was answered. */
export interface KeyedWrite {
  /** `app`, or the index of a replica. */
  readonly origin: 'app' | number;
  readonly method: string;
  readonly path: string;
  readonly sent?: unknown;
  readonly key: string;
  readonly location: string | null;
  readonly status: number;
  readonly body: unknown;
}

/** What test/earlier-data/make.mjs noted. */
interface Noted {
  readonly madeAtMs: number;
  readonly ports: readonly number[];
  readonly answers: readonly KeyedWrite[];
  /** A POST of /books-2pc that was not answered: committed in SQL, promised by the documents. */
  readonly inDoubt: Pick<KeyedWrite, 'key'> & { readonly sent: Readonly<Record<string, unknown>> };
  /** Bodies by path, from before `inDoubt`. */
  readonly reads: Readonly<Record<string, unknown>>;
  /** Of each replica. */
  readonly groups: readonly { readonly version: string; readonly ids: readonly string[] }[];
}

/** The data of an earlier build, in a directory and at ports of its own, under the app and the replicas of this one. */
export class EarlierCluster {
  readonly replicas: readonly ReplicaProcess[];
  private running: AppProcess | undefined;

  private constructor(
    private readonly directory: string,
    readonly noted: Noted,
    private readonly ports: readonly number[],
  ) {
    this.replicas = ports.map((port) => new ReplicaProcess(port, join(directory, 'replicas'), this.settings));
  }

  static async unpack(): Promise<EarlierCluster> {
    const directory = temporaryDirectory();
    const archive = join(FOLDER, 'earlier-data.tar.gz');
    const { status, stderr } = spawnSync('tar', ['-xzf', archive, '-C', directory]);
    if (status !== 0) throw new Error(`tar: ${String(stderr)}`);
    const noted = JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8')) as Noted;
    const ports: number[] = [];
    for (const port of noted.ports) {
      ports.push(await freePort());
      renameSync(join(directory, 'replicas', String(port)), join(directory, 'replicas', String(ports.at(-1))));
    }
    const cluster = new EarlierCluster(directory, noted, ports);
    cluster.moveIntents();
    return cluster;
  }

  get app(): AppProcess {
    if (this.running === undefined) throw new Error('the app was not started');
    return this.running;
  }

  get secret(): string {
    const [secret = ''] = readFileSync(join(this.directory, 'data', 'cluster-secret'), 'utf8').split('\n');
    return secret;
  }

  private get settings(): Readonly<Record<string, string>> {
    const { madeAtMs } = this.noted;
    return {
      ...{ DATA_DIR: join(this.directory, 'data'), REPLICAS_DIR: join(this.directory, 'replicas') },
      ...{ REPLICA_PORTS: this.ports.join(','), SEED: 'on', LOG_LEVEL: 'warn' },
      ...{
        REPLICA_TIMEOUT_MS: '30000',
        PREPARE_DEADLINE_MS: '45000',
        WRITE_DEADLINE_MS: '60000',
        CHECKOUT_TIMEOUT_MS: '90000',
      },
      NODE_OPTIONS: `--import ${pathToFileURL(join(FOLDER, 'clock.mjs')).href}`,
      CLOCK_AHEAD_MS: String(madeAtMs + LATER_MS - Date.now()),
    };
  }

  /** Resolves when every replica is in sync. */
  async start(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.start()));
    this.running = AppProcess.spawn(join(this.directory, 'data'), this.settings);
    await this.running.ready();
    await eventually(
      async () => {
        if (this.app.hasExited) throw new Error(`the app ended: ${this.app.printed}`);
        const status = await this.read<{ inSync: number }>('/replication/status');
        if (status.inSync !== this.replicas.length) throw new Error(JSON.stringify(status));
        const { status: ready } = await fetch(`${this.app.url}/health/ready`);
        if (ready !== 200) throw new Error(`the app is not ready: ${String(ready)}`);
      },
      { withinMs: SETTLE_WITHIN_MS },
    );
  }

  /** Cleanly. */
  async stop(): Promise<void> {
    for (const process of [this.app, ...this.replicas]) {
      const end = await process.stop();
      if (end?.code !== 0) throw new Error(`it ended with ${JSON.stringify(end)}: ${process.printed}`);
    }
  }

  async read<T>(path: string): Promise<T> {
    return (await (await fetch(this.app.url + path)).json()) as T;
  }

  /** Again, under its key. `isReplayed`: it says so. Ports are those of `noted`. */
  async repeat({
    origin,
    method,
    path,
    sent,
    key,
  }: Omit<KeyedWrite, 'location' | 'status' | 'body'>): Promise<
    Pick<KeyedWrite, 'status' | 'location' | 'body'> & { readonly isReplayed: boolean }
  > {
    const base = origin === 'app' ? this.app.url : this.replicas[origin]!.url;
    const response = await fetch(base + path, {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      ...(sent !== undefined && { body: JSON.stringify(sent) }),
    });
    const text = await response.text();
    const { status, headers } = response;
    const body: unknown = text === '' ? null : JSON.parse(this.asNoted(text));
    const isReplayed = headers.get('idempotency-replayed') === 'true';
    return { status, location: headers.get('location'), body, isReplayed };
  }

  command(...args: readonly string[]): Promise<CommandEnd> {
    return clusterCommand(args, this.settings);
  }

  async end(): Promise<void> {
    await this.running?.kill();
    await Promise.all(this.replicas.map((replica) => replica.kill()));
    removeDirectory(this.directory);
  }

  private asNoted(text: string): string {
    return replaced(text, this.ports, this.noted.ports);
  }

  /** Open operations name their nodes. */
  private moveIntents(): void {
    const intents = join(this.directory, 'data', 'cluster');
    for (const name of readdirSync(intents).filter((file) => file.endsWith('.json'))) {
      const path = join(intents, name);
      writeFileSync(path, replaced(readFileSync(path, 'utf8'), this.noted.ports, this.ports));
    }
  }
}

function replaced(text: string, from: readonly number[], to: readonly number[]): string {
  return from.reduce(
    (result, port, index) => result.replaceAll(`127.0.0.1:${String(port)}`, `127.0.0.1:${String(to[index])}`),
    text,
  );
}
