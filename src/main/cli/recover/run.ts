import { setTimeout as delay } from 'node:timers/promises';
import { type AppConfig, loadConfig } from '../../../config/index.js';
import { AppError, type Log } from '../../../kernel/index.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { directoriesIn, NodeDisk } from '../../../platform/disk/index.js';
import { type FileLayout, fileLayoutOf } from '../../../platform/nodes/index.js';
import { nextTurn, systemClock, systemRandom } from '../../../platform/process/index.js';
import { clusterSecret } from '../../../platform/secrets/index.js';
import { HttpReplicaLink, replicationAuthorization } from '../../../protocols/replication/index.js';
import { withUnused } from '../lock-unused.js';
import type { CommandOutput } from '../command-output.js';
import { startLocalReplicas } from './local-replicas.js';
import { recover } from './recover.js';
import { linesOf } from './messages.js';

const START_REPLICAS_WITHIN_MS = 60_000;
const ASK_AGAIN_AFTER_MS = 100;

/**
 * `npm run recover:from-replicas`. Starts this machine's replicas for the recovery. Throws an AppError that names any obstacle.
 */
export async function recoverFromReplicas(isDryRun: boolean): Promise<CommandOutput> {
  const config = loadConfig();
  const places = fileLayoutOf(config.storage);
  if (config.replication.nodes.length === 0) {
    throw new AppError('misconfigured', 'no replicas are configured: set REPLICA_PORTS or REPLICA_NODES', {
      retry: 'never',
    });
  }
  const disk = new NodeDisk();
  await disk.ensureDirectory(places.dataDirectory);
  return withUnused(places.dataDirectory, () => recoverAlone(config, places, disk, isDryRun));
}

async function recoverAlone(
  config: AppConfig,
  places: FileLayout,
  disk: NodeDisk,
  isDryRun: boolean,
): Promise<CommandOutput> {
  const { storage, replication } = config;
  const secret = await clusterSecret(
    { disk, random: systemRandom, crashSites: NO_CRASH_SITES, log: SILENT },
    {
      given: storage.clusterSecret,
      dataDirectory: storage.dataDirectory,
      replicaDirectories: await directoriesIn(storage.replicasDirectory),
      keepIn: isDryRun ? [] : [storage.dataDirectory],
    },
  );
  const links = replication.nodes.map((node) => new HttpReplicaLink(node, replicationAuthorization(secret)));
  const local = await startLocalReplicas(config, places, START_REPLICAS_WITHIN_MS);
  const interrupted = (): void => {
    void local.stop().finally(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  try {
    const recovery = await recover(
      {
        ...{ disk, links, nextTurn, clock: systemClock, random: systemRandom, crashSites: NO_CRASH_SITES },
        log: SILENT,
        isStarting: (name) => local.isStarting(name),
        pause: () => delay(ASK_AGAIN_AFTER_MS),
      },
      { dataDirectory: storage.dataDirectory, minInSync: replication.minInSync, isDryRun },
    );
    return { exitCode: recovery.kind === 'impossible' ? 1 : 0, lines: linesOf(recovery, storage.dataDirectory) };
  } finally {
    links.forEach((link) => {
      link.close();
    });
    await local.stop();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
  }
}

const SILENT: Log = { info: () => undefined, warn: () => undefined };
