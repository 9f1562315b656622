import {
  deepFreeze,
  type Environment,
  faultsConfigOf,
  httpConfigOf,
  loadCheckedEnvironmentFile,
  loadEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { redisNodesOf } from './redis-nodes.js';
import { redisConfigOf } from './redis-settings.js';
import { settingsInForce } from './settings-in-force.js';
import { appSchema, minInSyncOf, nodesOf, type Settings, SLICES } from './settings.js';

const MS_PER_DAY = 86_400_000;

export type AppConfig = ReturnType<typeof parseConfig>;

/** Absolute paths on this machine. */
export type Directories = Readonly<Pick<Settings['storage'], 'dataDirectory' | 'replicasDirectory'>>;

/**
 * Reads the working directory's `.env` and the environment, which wins; a given port wins over PORT. Throws `misconfigured`,
 * naming each invalid setting.
 */
export function loadConfig(port?: string): AppConfig {
  loadCheckedEnvironmentFile();
  return parseConfig({ ...process.env, ...(port !== undefined && { PORT: port }) });
}

/** Loads the directories from the sources of `loadConfig`, even when another setting is invalid. */
export function loadDirectories(): Directories {
  loadEnvironmentFile();
  const { dataDirectory, replicasDirectory } = SLICES.storage.shape;
  return {
    dataDirectory: dataDirectory.parse(process.env['DATA_DIR'] || undefined),
    replicasDirectory: replicasDirectory.parse(process.env['REPLICAS_DIR'] || undefined),
  };
}

export function parseConfig(environment: Environment) {
  const settings = parseSettings(appSchema, environment);
  const { storage, replication, transactions, checkouts, cache, log, client, supervisor, standby } = settings;
  const { passwordMin, tokenKeyDays } = settings.registration;
  const redis = redisConfigOf(settings.redis, storage.dataDirectory);
  return deepFreeze({
    ...{ storage, log, client, supervisor, http: httpConfigOf(settings), faults: faultsConfigOf(settings.faults) },
    replication: {
      ...replication,
      /** Each `name` is `host:port`. */
      nodes: nodesOf(replication),
      /** The ports of the replicas that `npm start` runs on this machine: all of the replicas, or none. */
      localPorts: replication.replicaNodes.length > 0 ? [] : replication.replicaPorts,
      /** From 1 to the number of nodes; 0 when there are no nodes. */
      minInSync: minInSyncOf(replication),
      batchBytes: replication.replicationBatchBytes,
    },
    checkouts: { ...checkouts, deliveryDelayMs: settings.faults.sagaDeliveryDelayMs },
    registration: { passwordMin, renewTokenKeyAfterMs: tokenKeyDays * MS_PER_DAY },
    transactions: { ...transactions, answerDeadlineMs: replication.writeDeadlineMs },
    /** Undefined: there is no standby. */
    standby: { port: standby.standbyPort === 'off' ? undefined : standby.standbyPort },
    /** Undefined: there is no gateway. */
    gateway: { port: settings.gateway.gatewayPort === 'off' ? undefined : settings.gateway.gatewayPort },
    cache: { maxBytes: cache.cache === 'on' ? cache.cacheBytes : undefined },
    redis: redis && { ...redis, ...redisNodesOf(settings) },
    inForce: settingsInForce(settings),
  });
}
