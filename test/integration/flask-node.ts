import { describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';

const PROGRAM = resolve('test/integration/flask-node.py');
const READY_WITHIN_MS = 60_000;
/** scripts/test.mjs has found it, or has said loudly that there is none; in CI that has ended the run. */
const python = process.env['FLASK_PYTHON'] ?? '';

/** Tests on real Flask nodes, or, where this machine cannot have them, a test that says so; in CI that one fails. */
export function describeOnFlask(name: string, tests: () => void): void {
  describe(name, () => {
    if (python !== '') {
      tests();
      return;
    }
    it('was skipped: this machine has no Flask, see the warning above', () => {
      expect(process.env['CI'] ?? '').toBe('');
    });
  });
}

/** A real Flask node, a process of its own with a database of its own. */
export class FlaskNode {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly port: number,
    private readonly directory: string,
  ) {}

  static async start(directory: string): Promise<FlaskNode> {
    const node = new FlaskNode(await freePort(), directory);
    await node.start();
    return node;
  }

  get name(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const database = join(this.directory, `flask-${String(this.port)}.db`);
    this.child = spawn(python, [PROGRAM, String(this.port), database], { stdio: 'ignore' });
    await eventually(
      async () => {
        expect(await this.groups()).toBeDefined();
      },
      { withinMs: READY_WITHIN_MS },
    );
  }

  /** As it lists them. */
  async groups(): Promise<readonly string[]> {
    const response = await fetch(`http://${this.name}/v1/groups/`);
    const { groups } = (await response.json()) as { groups: readonly { groupId: string }[] };
    return groups.map(({ groupId }) => groupId);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((settle) => child.once('exit', settle));
    child.kill('SIGKILL');
    await exited;
  }
}
