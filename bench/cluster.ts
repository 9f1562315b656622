import { dirname, join } from 'node:path';
import { expect } from './expect.js';
import { ServerProcess, startApp } from './processes.js';
import { freePort } from './readiness.js';

export const REPLICAS = 4;
const SECRET = 'a secret for benches only';
const POLL_MS = 5;
const GIVE_UP_AFTER_MS = 60_000;

interface ReplicaStatus {
  readonly name: string;
  readonly state: string;
  readonly lag: number | null;
}

/** One replica, ready to be spoken to; `/health/live` is answered before any primary has been heard. */
export function startReplica(program: string, directory: string, port?: number): Promise<ServerProcess> {
  return ServerProcess.start({
    program: join(dirname(program), 'replica.mjs'),
    directory,
    environment: { REPLICAS_DIR: join(directory, 'replicas'), CLUSTER_SECRET: SECRET },
    readyAt: '/health/live',
    ...(port !== undefined && { port }),
  });
}

/** The app and four replicas, all in sync. */
export class Cluster {
  private constructor(
    readonly app: ServerProcess,
    readonly replicas: readonly ServerProcess[],
  ) {}

  static async start(
    { program }: { readonly program: string },
    directory: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Cluster> {
    const replicas: ServerProcess[] = [];
    for (let number = 1; number <= REPLICAS; number += 1) {
      replicas.push(await startReplica(program, join(directory, `replica-${number}`), await freePort()));
    }
    const ports = replicas.map(({ port }) => port).join(',');
    const app = await startApp({ program }, join(directory, 'app'), {
      ...{ SEED: 'off', REPLICA_PORTS: ports, CLUSTER_SECRET: SECRET },
      ...environment,
    });
    const cluster = new Cluster(app, replicas);
    await cluster.until((states) => states.every(({ state }) => state === 'in-sync'), 'all replicas are in sync');
    return cluster;
  }

  /** Resolves when what `GET /replication/status` shows is as wanted. */
  async until(isAsWanted: (replicas: readonly ReplicaStatus[]) => boolean, what: string): Promise<void> {
    const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      const response = await fetch(`${this.app.url}/replication/status`);
      const { replicas } = (await response.json()) as { replicas: readonly ReplicaStatus[] };
      if (isAsWanted(replicas)) return;
      expect(performance.now() < giveUpAt, `${what}: did not happen within ${GIVE_UP_AFTER_MS / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async kill(): Promise<void> {
    await Promise.all([this.app, ...this.replicas].map((server) => server.kill()));
  }
}
