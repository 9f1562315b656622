import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ExitOf } from './server-process.js';
import { eventually } from './eventually.js';
import { withoutWaiting } from './stand-in-fleet.js';

const READY_WITHIN_MS = 60_000;

/** What a person types, without npm around it. */
const PROGRAMS = {
  start: [resolve('scripts/start.mjs')],
  stop: [resolve('scripts/stop.mjs')],
  status: [resolve('scripts/run.mjs'), 'cli', 'status'],
  redisStatus: [resolve('scripts/run.mjs'), 'cli', 'redis:status'],
  accept: [resolve('scripts/run.mjs'), 'cli', 'transactions:accept'],
  acceptLoss: [resolve('scripts/run.mjs'), 'cli', 'data:accept-loss'],
  acceptSagas: [resolve('scripts/run.mjs'), 'cli', 'sagas:accept'],
  backup: [resolve('scripts/run.mjs'), 'cli', 'backup'],
  recover: [resolve('scripts/run.mjs'), 'cli', 'recover:from-replicas'],
} as const;

/** `npm start` or another command as a process of its own, without a terminal, and without replicas and Redis unless a setting asks for them. */
export class StartProcess {
  /** Resolves when it has ended. */
  readonly exited: Promise<ExitOf>;
  private output = '';
  private exit: ExitOf | undefined;

  constructor(
    command: keyof typeof PROGRAMS,
    private readonly dataDirectory: string,
    {
      args = [],
      node = process.execPath,
      ...environment
    }: { readonly args?: readonly string[]; readonly node?: string } & {
      readonly [name: string]: string | readonly string[];
    } = {},
  ) {
    const settings = {
      ...{ PORT: '0', DATA_DIR: dataDirectory, REDIS: 'off', SUPERVISOR_PORT: '0', DEAD_AFTER_MS: '5000' },
      ...{ STANDBY_PORT: 'off', GATEWAY_PORT: 'off' },
      ...{ REPLICA_PORTS: '', REPLICAS_DIR: join(dataDirectory, 'replicas') },
      ...environment,
    } as Readonly<Record<string, string>>;
    const child: ChildProcess = spawn(node, [...PROGRAMS[command], ...args], {
      env: { PATH: process.env['PATH'], ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = child.pid ?? -1;
    // 'close' comes after the last of its output.
    this.exited = new Promise((resolveExit) => {
      child.once('close', (code, signal) => {
        this.exit = { code, signal };
        resolveExit(this.exit);
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  readonly pid: number;

  /** All that it printed so far, on both outputs. */
  get printed(): string {
    return this.output;
  }

  /** Resolves when it printed something that matches. Rejects with what it printed when it ends instead. */
  async prints(pattern: RegExp): Promise<void> {
    await eventually(
      () => {
        if (!this.exit && !pattern.test(this.output)) throw new Error(`${String(pattern)} is not in: ${this.output}`);
      },
      { withinMs: READY_WITHIN_MS },
    );
    if (!pattern.test(this.output)) throw new Error(`it ended (${JSON.stringify(this.exit)}): ${this.output}`);
  }

  /** What the app noted about itself. */
  get app(): { readonly pid: number; readonly url: string } {
    return JSON.parse(readFileSync(join(this.dataDirectory, 'app.json'), 'utf8')) as { pid: number; url: string };
  }
}

/** Runs a command to its end. */
export async function runToEnd(
  ...args: ConstructorParameters<typeof StartProcess>
): Promise<{ readonly code: number | null; readonly printed: string }> {
  const run = new StartProcess(...args);
  const { code } = await run.exited;
  return { code, printed: withoutWaiting(run.printed) };
}
