import { afterAll, beforeAll } from '@jest/globals';
import { join } from 'node:path';
import { ActingPrimary, CLUSTER_SECRET } from '../../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../../support/app-process.js';
import { freePort } from '../../support/ports.js';
import { ReplicaProcess } from '../../support/replica-process.js';
import { Client } from './client.js';

/** One replica for all tests of a file, and the test as its primary. */
export interface SharedReplica {
  readonly client: Client;
  readonly process: ReplicaProcess;
  readonly primary: ActingPrimary;
}

export function useSharedReplica(environment: Readonly<Record<string, string>> = {}): SharedReplica {
  const directory = temporaryDirectory();
  let replica: ReplicaProcess | undefined;
  let primary: ActingPrimary | undefined;
  beforeAll(async () => {
    replica = await startReplica(directory, environment);
    primary = new ActingPrimary(replica.url);
  });
  afterAll(async () => {
    primary?.link.close();
    await replica?.stop();
    removeDirectory(directory);
  });
  const running = <T>(part: T | undefined): T => {
    if (!part) throw new Error('the replica is started before the tests, not while they are collected');
    return part;
  };
  return {
    get client() {
      return new Client(running(replica).url);
    },
    get process() {
      return running(replica);
    },
    get primary() {
      return running(primary);
    },
  };
}

/** A replica on a free port, its directory under `directory`. A primary that once spoke to it counts as there. */
export async function startReplica(
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ReplicaProcess> {
  const replica = new ReplicaProcess(await freePort(), join(directory, 'replicas'), {
    CLUSTER_SECRET,
    DATA_DIR: join(directory, 'data'),
    DEAD_AFTER_MS: '600000',
    ...environment,
  });
  await replica.start();
  return replica;
}
