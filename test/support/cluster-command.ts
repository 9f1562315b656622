import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { OperationReport } from '../../src/protocols/cluster-client/index.js';

const PROGRAM = resolve('dist/bundle/cli.mjs');

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}

/** `npm run cluster -- ...` as a process of its own, without npm around it. `directory`: where its `.env` may lie. */
export function clusterCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  directory = process.cwd(),
): Promise<CommandEnd> {
  const child = spawn(process.execPath, [PROGRAM, 'cluster', ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: directory,
  });
  let out = '';
  let error = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
  return new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      settle({ code, signal, out, error });
    });
  });
}

export function reportIn({ out }: CommandEnd): OperationReport {
  return JSON.parse(out) as OperationReport;
}
