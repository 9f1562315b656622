import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.js';

const PROGRAM = resolve('dist/bundle/api.mjs');
const START_WITHIN_MS = 60_000;

/** A data directory of its own, removed by `removeDirectory`. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'bifolio-test-'));
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

export interface ExitOf {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The real app, as `npm start` runs it, on a free port and without replicas unless the environment names some. */
export class AppProcess {
  /** Resolves when the process is gone. */
  readonly exited: Promise<ExitOf>;
  private output = '';
  private exit: ExitOf | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDirectory: string,
  ) {
    this.exited = new Promise((resolveExit) => {
      child.once('exit', (code, signal) => {
        this.exit = { code, signal };
        resolveExit(this.exit);
      });
    });
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Starts without waiting: for processes that are to die or to refuse. `program`: another one that behaves alike. */
  static spawn(
    dataDirectory: string,
    environment: Readonly<Record<string, string>> = {},
    program = PROGRAM,
  ): AppProcess {
    rmSync(join(dataDirectory, 'app.json'), { force: true });
    const child = spawn(process.execPath, [program], {
      env: {
        PATH: process.env['PATH'],
        ...{ PORT: '0', SEED: 'off', DATA_DIR: dataDirectory },
        ...{ REPLICA_PORTS: '', REPLICAS_DIR: join(dataDirectory, 'replicas') },
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new AppProcess(child, dataDirectory);
  }

  /** Resolves when it answers. Rejects with what it printed when it exits instead; it never outlives a rejection. */
  static async start(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    const app = AppProcess.spawn(dataDirectory, environment);
    await app.ready().catch(async (error: unknown) => {
      await app.kill();
      throw error;
    });
    return app;
  }

  async ready(): Promise<void> {
    await eventually(
      () => {
        if (!this.exit && !existsSync(join(this.dataDirectory, 'app.json'))) throw new Error('the app is not ready');
      },
      { withinMs: START_WITHIN_MS },
    );
    if (this.exit) throw new Error(`the app exited (${JSON.stringify(this.exit)}): ${this.output}`);
  }

  /** Base address, without a trailing slash. Only after `ready`. */
  get url(): string {
    return (JSON.parse(readFileSync(join(this.dataDirectory, 'app.json'), 'utf8')) as { url: string }).url;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** All that it printed so far, on both outputs. */
  get printed(): string {
    return this.output;
  }

  get hasExited(): boolean {
    return this.exit !== undefined;
  }

  /** `kill -9`. */
  async kill(): Promise<ExitOf> {
    this.child.kill('SIGKILL');
    return this.exited;
  }

  /** A clean stop. */
  async stop(): Promise<ExitOf> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}
