import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { eventually } from './eventually.js';

const START_WITHIN_MS = 60_000;

export interface ExitOf {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerCommand {
  /** A program, and its arguments. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The path of the run file, which the process writes as soon as it answers. */
  readonly runFile: (pid: number) => string;
}

/** One incarnation of a real process that listens, and writes where. */
export class ServerProcess {
  /** Resolves when the process is gone and all of its output is read. */
  readonly exited: Promise<ExitOf>;
  private readonly child: ChildProcess;
  private readonly runFile: string;
  private output = '';
  private exit: ExitOf | undefined;
  protected noted: string | undefined;

  /** Starts without waiting: for processes that are to die or to refuse. */
  protected constructor({ args, environment, runFile }: ServerCommand) {
    this.child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.runFile = runFile(this.pid);
    this.exited = new Promise((resolveExit) => {
      this.child.once('close', (code, signal) => {
        this.exit = { code, signal };
        resolveExit(this.exit);
      });
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  /** Resolves when it answers. Rejects with what it printed when it exits instead. */
  async ready(): Promise<void> {
    await eventually(
      () => {
        if (!this.exit && !existsSync(this.runFile)) throw new Error('the process is not ready');
      },
      { withinMs: START_WITHIN_MS },
    );
    if (this.exit) throw new Error(`the process exited (${JSON.stringify(this.exit)}): ${this.output}`);
  }

  /** The process itself, once it answers. It never outlives a rejection. */
  protected async whenReady(): Promise<this> {
    await this.ready().catch(async (error: unknown) => {
      await this.kill();
      throw error;
    });
    return this;
  }

  /** Base address, without a trailing slash. Only after `ready`. */
  get url(): string {
    return (this.noted ??= (JSON.parse(readFileSync(this.runFile, 'utf8')) as { url: string }).url);
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
