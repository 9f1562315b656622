import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';

/**
 * An app, a standby, a gateway or a replica that keeps nothing: it holds its directory, notes where it answers, says that it is ready, and ends when asked. With a
 * file `broken` in its directory it refuses to start. What happens to it is appended to `history` in the data directory.
 */
const STAND_IN = `
  import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
  import { createServer } from 'node:http';
  import { join } from 'node:path';
  import BetterSqlite3 from 'better-sqlite3';

  const isApp = process.argv[1].endsWith('api.mjs');
  const isGateway = process.argv[1].endsWith('gateway.mjs');
  const port = isApp ? Number(process.env.PORT) : Number(process.argv[3]);
  const { DATA_DIR, REPLICAS_DIR, STANDBY_PORT } = process.env;
  const directory = isApp || isGateway ? DATA_DIR : join(REPLICAS_DIR, String(port));
  const name = isApp ? 'app' : isGateway ? 'gateway' : 'replica ' + port;
  const runFile = join(directory, isApp ? 'app.json' : isGateway ? 'gateway.json' : 'replica.json');
  mkdirSync(directory, { recursive: true });
  if (existsSync(join(directory, 'broken'))) {
    console.error('data-corrupt: ' + directory + ' is broken');
    process.exit(1);
  }
  const echo = { role: isApp ? 'active' : isGateway ? 'gateway' : 'replica', state: 'open', epoch: isApp ? Date.now() : null };
  if (!isGateway) {
    const lock = new BetterSqlite3(join(directory, 'lock.db'), { timeout: 0 });
    lock.pragma('locking_mode = EXCLUSIVE');
    const isLocked = () => {
      try {
        lock.exec('BEGIN EXCLUSIVE');
        return true;
      } catch {
        return false;
      }
    };
    process.on('exit', () => lock.close());
    if (!isLocked()) {
      if (!process.argv.includes('--standby')) {
        console.error('data-directory-locked: another process holds ' + directory);
        process.exit(1);
      }
      const waiting = JSON.stringify({ pid: process.pid, role: 'standby', state: 'waiting', epoch: null });
      const standby = createServer((_request, response) => response.end(waiting));
      await new Promise((listening) => standby.listen(Number(STANDBY_PORT), '127.0.0.1', listening));
      const standbyFile = join(directory, 'standby.json');
      const url = 'http://127.0.0.1:' + standby.address().port;
      writeFileSync(standbyFile, JSON.stringify({ pid: process.pid, url }));
      const stop = () => {
        rmSync(standbyFile, { force: true });
        process.exit(0);
      };
      process.on('SIGTERM', stop);
      while (!isLocked()) await new Promise((retry) => setTimeout(retry, 10));
      process.off('SIGTERM', stop);
      rmSync(standbyFile, { force: true });
      echo.epoch = Date.now();
      standby.closeAllConnections();
      standby.close();
    }
  }
  const server = createServer((_request, response) => response.end(JSON.stringify({ pid: process.pid, ...echo })));
  server.on('error', () => {
    console.error('port-taken: port ' + port + ' is in use by another program');
    process.exit(1);
  });
  server.listen(port, '127.0.0.1', () => {
    const url = 'http://127.0.0.1:' + server.address().port;
    writeFileSync(runFile, JSON.stringify({ pid: process.pid, url }));
  });
  process.on('SIGTERM', () => {
    appendFileSync(join(DATA_DIR, 'history'), name + ' stops\\n');
    rmSync(runFile);
    // Long enough for one that is stopped too early to come first.
    setTimeout(() => {
      appendFileSync(join(DATA_DIR, 'history'), name + ' stopped\\n');
      process.exit(0);
    }, isApp ? 200 : 0);
  });
`;

interface RunNote {
  readonly pid: number;
  readonly url: string;
}

/** The real supervisor as `npm start` and `npm stop` run it, over stand-ins for the app and its replicas. */
export class StandInFleet {
  readonly data: string;
  readonly replicas: string;
  /** The program that `run` runs; a test may put another supervisor there. */
  readonly supervisor: string;
  private readonly bundle: string;

  constructor(
    root: string,
    readonly ports: readonly number[],
  ) {
    this.data = join(root, 'data');
    this.replicas = join(root, 'replicas');
    this.bundle = join(root, 'bundle');
    this.supervisor = join(this.bundle, 'supervisor.mjs');
    if (existsSync(this.bundle)) return;
    mkdirSync(this.bundle);
    for (const name of ['supervisor.mjs', 'supervisor.cjs']) {
      cpSync(resolve('dist/bundle', name), join(this.bundle, name));
    }
    for (const name of ['api.mjs', 'gateway.mjs', 'replica.mjs']) writeFileSync(join(this.bundle, name), STAND_IN);
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  }

  run(command: 'start' | 'stop', { args = [], ...environment }: FleetOptions = {}): FleetRun {
    const child = spawn(process.execPath, [this.supervisor, command, ...args], {
      cwd: this.bundle,
      env: {
        ...{ PATH: process.env['PATH'], PORT: '0', DATA_DIR: this.data, REPLICAS_DIR: this.replicas },
        ...{ REPLICA_PORTS: this.ports.join(','), REDIS: 'off', SUPERVISOR_PORT: '0', DEAD_AFTER_MS: '5000' },
        ...{ STANDBY_PORT: 'off', GATEWAY_PORT: 'off' },
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new FleetRun(child);
  }

  get standby(): RunNote {
    return noteIn(join(this.data, 'standby.json'));
  }

  get app(): RunNote {
    return noteIn(join(this.data, 'app.json'));
  }

  replica(port: number): RunNote {
    return noteIn(join(this.directoryOf(port), 'replica.json'));
  }

  directoryOf(port: number): string {
    return join(this.replicas, String(port));
  }

  /** Every process that was asked to stop, and that did, in that order. */
  get history(): readonly string[] {
    return readFileSync(join(this.data, 'history'), 'utf8').trim().split('\n');
  }
}

type FleetOptions = { readonly args?: readonly string[] } & {
  readonly [name: string]: string | readonly string[];
};

/** One `npm start` or `npm stop`. */
export class FleetRun {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  private output = '';
  private hasExited = false;

  constructor(child: ChildProcess) {
    this.pid = child.pid ?? -1;
    this.exited = new Promise((resolveExit) => {
      child.once('close', (code) => {
        this.hasExited = true;
        resolveExit(code);
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  get printed(): string {
    return this.output;
  }

  /** Resolves when all of these were printed. Rejects with what was printed when it ends instead. */
  async prints(...patterns: readonly RegExp[]): Promise<void> {
    const missing = (): RegExp | undefined => patterns.find((pattern) => !pattern.test(this.output));
    const look = (): void => {
      if (missing() && !this.hasExited) throw new Error(`${String(missing())} is not in: ${this.output}`);
    };
    await eventually(look, { withinMs: 60_000 });
    if (missing()) throw new Error(`it ended without ${String(missing())}: ${this.output}`);
  }

  async toEnd(): Promise<{ readonly code: number | null; readonly printed: string }> {
    const code = await this.exited;
    return { code, printed: withoutWaiting(this.output) };
  }
}

/** Leaves out what only a slow machine reads: that a start takes a while. */
export function withoutWaiting(printed: string): string {
  return printed.replace(/^Waiting for .*\n/gm, '');
}

/** Ports of this machine that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function noteIn(path: string): RunNote {
  return JSON.parse(readFileSync(path, 'utf8')) as RunNote;
}
