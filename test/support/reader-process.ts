import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { ExitOf } from './app-process.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';

const PROGRAM = resolve('dist/bundle/reader.mjs');
const START_WITHIN_MS = 60_000;

/** A real reader of the database in a data directory, as `npm run start:app -- --reader` runs it. */
export class ReaderProcess {
  /** Resolves when the process is gone and all of its output is read. */
  readonly exited: Promise<ExitOf>;
  private output = '';
  private exit: ExitOf | undefined;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {
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

  /** Starts without waiting: for processes that are to refuse. */
  static async spawn(
    dataDirectory: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ReaderProcess> {
    const port = String(await freePort());
    const child = spawn(process.execPath, [PROGRAM, '--reader', '--port', port], {
      env: { PATH: process.env['PATH'], DATA_DIR: dataDirectory, REPLICA_PORTS: '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ReaderProcess(child, `http://127.0.0.1:${port}`);
  }

  /** Resolves when it answers. Rejects with what it printed when it ends instead; it never outlives a rejection. */
  static async start(
    dataDirectory: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ReaderProcess> {
    const reader = await ReaderProcess.spawn(dataDirectory, environment);
    await eventually(async () => reader.exit ?? (await fetch(`${reader.url}/health/live`)).status, {
      withinMs: START_WITHIN_MS,
    }).catch(async (error: unknown) => {
      await reader.kill();
      throw error;
    });
    if (reader.exit) throw new Error(`the reader ended (${JSON.stringify(reader.exit)}): ${reader.output}`);
    return reader;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** All that it printed so far, on both outputs. */
  get printed(): string {
    return this.output;
  }

  /** `kill -9`; no error when it is gone. */
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
