import type { AppConfig } from '../../../config/index.js';
import {
  type FileLayout,
  launchChild,
  type LaunchedChild,
  presenceOf,
  replicaProgram,
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
  { http, replication }: AppConfig,
  places: FileLayout,
  startWithinMs: number,
): Promise<LocalReplicas> {
  const children = new Map<string, LaunchedChild>();
  const ended = new Set<string>();
  for (const [index, port] of replication.localPorts.entries()) {
    const number = index + 1;
    const files = places.replica(number, port);
    if ((await presenceOf(files.runFile)).state !== 'gone') continue;
    const name = `127.0.0.1:${String(port)}`;
    const apiKey = http.apiKeys[0]?.key;
    const child = launchChild(replicaProgram(files, { number, port, apiKey, environment: process.env }));
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
