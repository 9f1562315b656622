import type { AppConfig } from '../../../config/index.js';
import {
  complaintIn,
  type FileLayout,
  healthProbe,
  launchChild,
  type LaunchedChild,
  presenceOf,
  programOf,
} from '../../../platform/nodes/index.js';

const STOP_WITHIN_MS = 10_000;

/** The replicas of this machine that a command needs and starts when they do not run. */
export interface LocalReplicas {
  /** Whether the replica was started here and has neither ended nor exhausted its time to start. */
  isStarting(name: string): boolean;
  /** Stops the replicas that were started here, cleanly. */
  stop(): Promise<void>;
}

/** `startWithinMs`: the longest wait for each replica. */
export async function startLocalReplicas(
  { replication }: AppConfig,
  places: FileLayout,
  startWithinMs: number,
): Promise<LocalReplicas> {
  const children = new Map<string, LaunchedChild>();
  const ended = new Set<string>();
  for (const [index, port] of replication.localPorts.entries()) {
    const { runFile, log } = places.replica(index + 1, port);
    if ((await presenceOf(runFile)).state !== 'gone') continue;
    const name = `127.0.0.1:${String(port)}`;
    const child = launchChild({
      ...{ runFile, log, complaintIn, probe: healthProbe(runFile.path) },
      program: process.execPath,
      args: [programOf('replica'), '--port', String(port)],
      environment: { ...process.env, CRASH_SITE: '' },
    });
    children.set(name, child);
    void child.exited.then(() => ended.add(name));
  }
  const deadline = performance.now() + startWithinMs;
  return {
    isStarting: (name) => children.has(name) && !ended.has(name) && performance.now() < deadline,
    stop: async () => {
      await Promise.all([...children.values()].map(end));
    },
  };
}

async function end(child: LaunchedChild): Promise<void> {
  child.signal('SIGTERM');
  const kill = setTimeout(() => {
    child.signal('SIGKILL');
  }, STOP_WITHIN_MS);
  await child.exited;
  clearTimeout(kill);
}
