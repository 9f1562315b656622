import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly platform: string;
  readonly node: string;
  readonly date: string;
  /** Processes that others kept busy in the minute before the bench began. */
  readonly busyBefore: number;
  /** Absent without git. A `+` behind it: with changes that are not committed. */
  readonly commit: string | undefined;
}

export function describeMachine(root: string): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    date: new Date().toISOString(),
    busyBefore: loadavg()[0] ?? 0,
    commit: commitOf(root),
  };
}

function commitOf(root: string): string | undefined {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === undefined) return undefined;
  return git('status', '--porcelain', '--', 'src') === '' ? commit : `${commit}+`;
}
