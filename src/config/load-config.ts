import {
  deepFreeze,
  type Environment,
  faultsConfigOf,
  httpConfigOf,
  loadCheckedEnvironmentFile,
  loadEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { settingsInForce } from './settings-in-force.js';
import { appSchema, minInSyncOf, nodesOf, type Settings, SLICES } from './settings.js';

/** The settings of the app process, in slices, frozen. */
export type AppConfig = ReturnType<typeof parseConfig>;

/** Where things are kept on this machine, absolute. */
export type Directories = Readonly<Pick<Settings['storage'], 'dataDirectory' | 'replicasDirectory'>>;

/**
 * Reads `.env` of the working directory (the environment wins) and the environment. Throws `misconfigured` naming
 * every setting that is wrong.
 */
export function loadConfig(): AppConfig {
  loadCheckedEnvironmentFile();
  return parseConfig(process.env);
}

/** The directories alone, from where `loadConfig` reads them: also when another setting is wrong. */
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
  const { storage, replication, transactions, cache, log, client } = settings;
  return deepFreeze({
    ...{ storage, log, client, http: httpConfigOf(settings), faults: faultsConfigOf(settings.faults) },
    replication: {
      ...replication,
      /** Empty: none. `name` is `host:port`. */
      nodes: nodesOf(replication),
      /** The ports of those that `npm start` runs on this machine: all of them, or none. */
      localPorts: replication.replicaNodes.length > 0 ? [] : replication.replicaPorts,
      /** From 1 to the number of nodes; 0 where there are none. */
      minInSync: minInSyncOf(replication),
      batchBytes: replication.replicationBatchBytes,
    },
    transactions: { ...transactions, answerDeadlineMs: replication.writeDeadlineMs },
    cache: { maxBytes: cache.cache === 'on' ? cache.cacheBytes : undefined },
    inForce: settingsInForce(settings),
  });
}
