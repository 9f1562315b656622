import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { ExitOf } from './server-process.js';
import { eventually } from './eventually.js';

const PROGRAM = resolve('dist/bundle/replica.mjs');
const START_WITHIN_MS = 60_000;

/** A real replica, as `npm start` runs it. It can be killed, held and started again on the same port and directory. */
export class ReplicaProcess {
  private child: ChildProcess | undefined;
  /** Resolves when its present incarnation has ended. */
  exited: Promise<ExitOf> | undefined;
  private output = '';

  constructor(
    readonly port: number,
    private readonly replicasDirectory: string,
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  get directory(): string {
    return join(this.replicasDirectory, String(this.port));
  }

  /** All that it printed so far in all its incarnations, on both outputs. */
  get printed(): string {
    return this.output;
  }

  get pid(): number {
    return this.child?.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** Resolves when it answers, which it does before any primary has spoken to it. It never outlives a rejection. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    void this.spawn(environment);
    await eventually(
      async () => {
        if (this.child === undefined) return;
        const { status } = await fetch(`${this.url}/health/live`);
        if (status !== 200) throw new Error(`the replica answers ${String(status)}`);
      },
      { withinMs: START_WITHIN_MS },
    ).catch(async (error: unknown) => {
      await this.kill();
      throw error;
    });
    if (this.child === undefined) throw new Error(`the replica ended: ${this.output}`);
  }

  /** Starts without waiting: for incarnations that are to die or to refuse. */
  spawn(environment: Readonly<Record<string, string>> = {}): Promise<ExitOf> {
    const child = spawn(process.execPath, [PROGRAM], {
      env: {
        PATH: process.env['PATH'],
        ...{ PORT: String(this.port), REPLICAS_DIR: this.replicasDirectory },
        ...this.environment,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.child = child;
    this.exited = new Promise((resolveExit) => {
      child.once('close', (code, signal) => {
        if (this.child === child) this.child = undefined;
        resolveExit({ code, signal });
      });
    });
    return this.exited;
  }

  /** `kill -9`; no error when it is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** A clean stop. */
  async stop(): Promise<ExitOf | undefined> {
    return this.end('SIGTERM');
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  hold(): void {
    this.child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  release(): void {
    this.child?.kill('SIGCONT');
  }

  private async end(signal: NodeJS.Signals): Promise<ExitOf | undefined> {
    this.child?.kill('SIGCONT');
    this.child?.kill(signal);
    return this.exited;
  }
}
