import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { answers, freePort } from './readiness.js';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

interface Program {
  readonly program: string;
  readonly args?: readonly string[];
  /** Its log goes here. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The path that is answered with 200 when it is ready. */
  readonly readyAt: string;
  /** Absent: any free one. */
  readonly port?: number;
}

/** A server in a process of its own that has answered. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly exited: Promise<void>,
    readonly url: string,
    /** From just before the process was made to its first good answer. */
    readonly readyAfterMs: number,
  ) {}

  static async start({
    program,
    args = [],
    directory,
    environment,
    readyAt,
    port: wanted,
  }: Program): Promise<ServerProcess> {
    mkdirSync(directory, { recursive: true });
    const port = wanted ?? (await freePort());
    const logFile = join(directory, 'output.log');
    const log = openSync(logFile, 'a');
    const startedAt = performance.now();
    const child = spawn(process.execPath, [program, ...args], {
      env: { PATH: process.env['PATH'], PORT: String(port), ...environment },
      cwd: directory,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    running.add(child);
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => {
        running.delete(child);
        resolve();
      });
    });
    try {
      await answers(port, readyAt, () => child.exitCode !== null || child.signalCode !== null);
    } catch (cause) {
      child.kill('SIGKILL');
      throw new Error(`${program} did not start: ${readFileSync(logFile, 'utf8').slice(-2_000)}`, { cause });
    }
    return new ServerProcess(child, exited, `http://127.0.0.1:${port}`, performance.now() - startedAt);
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  hold(): void {
    this.child.kill('SIGSTOP');
  }

  /** SIGCONT. */
  release(): void {
    this.child.kill('SIGCONT');
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** The app as `npm start` runs it: its log at the default level, into a file. Without seed data unless asked for. */
export function startApp(
  { program }: { readonly program: string },
  directory: string,
  environment: Readonly<Record<string, string>> = { SEED: 'off' },
): Promise<ServerProcess> {
  return ServerProcess.start({
    program,
    directory,
    environment: { DATA_DIR: join(directory, 'data'), REPLICA_PORTS: '', ...environment },
    readyAt: '/health/ready',
  });
}

/** A standby of the app on `appPort`, which `startApp` has started in this directory. It waits and is prepared. */
export async function startStandby(
  { program }: { readonly program: string },
  directory: string,
  appPort: number,
): Promise<ServerProcess> {
  const port = await freePort();
  return ServerProcess.start({
    program,
    args: ['--standby'],
    directory,
    environment: {
      ...{ DATA_DIR: join(directory, 'data'), REPLICA_PORTS: '', SEED: 'off' },
      ...{ PORT: String(appPort), STANDBY_PORT: String(port) },
    },
    readyAt: '/health/ready',
    port,
  });
}

export function startBaseline(
  { baselines }: { readonly baselines: string },
  name: 'hello' | 'append' | 'bare-process' | 'naive-primary' | 'naive-replica' | 'three-syncs' | 'five-commits',
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  return ServerProcess.start({ program: join(baselines, `${name}.js`), directory, environment, readyAt: '/' });
}
