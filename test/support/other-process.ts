import { type ChildProcess, spawn } from 'node:child_process';
import { eventually } from './eventually.js';

/** Another Node process that runs `script` (CommonJS), for what only a second process can show. */
export class OtherProcess {
  readonly exited: Promise<void>;
  private readonly child: ChildProcess;
  private output = '';

  constructor(script: string, args: readonly string[] = []) {
    this.child = spawn(process.execPath, ['-e', script, '--', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.child.once('close', () => {
        resolve();
      });
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  get printed(): string {
    return this.output;
  }

  /** Resolves when it has printed `text`. */
  async prints(text: string): Promise<void> {
    await eventually(
      () => {
        if (!this.output.includes(text)) throw new Error(`it has not printed "${text}", but: ${this.output}`);
      },
      { withinMs: 30_000 },
    );
  }

  tell(text: string): void {
    this.child.stdin?.write(`${text}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** `kill -9`; resolves when it is gone. */
  async end(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
