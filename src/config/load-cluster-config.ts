import { join, resolve } from 'node:path';
import {
  deepFreeze,
  type Environment,
  type FaultsConfig,
  faultsConfigOf,
  loadEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { nameOfNode } from './replication-settings.js';
import { nodesOf, settingsSchema } from './settings.js';

/** The settings of `npm run cluster`, frozen. */
export interface ClusterConfig {
  /** `host:port` each: NODES, else the replicas there are. */
  readonly nodes: readonly string[];
  /** Where open operations are kept, absolute. */
  readonly directory: string;
  /** The first key of API_KEYS that may write. */
  readonly apiKey: string | undefined;
  readonly faults: FaultsConfig;
}

/** As `loadConfig`. */
export function loadClusterConfig(): ClusterConfig {
  loadEnvironmentFile();
  return parseClusterConfig(process.env);
}

export function parseClusterConfig(environment: Environment): ClusterConfig {
  const settings = parseSettings(settingsSchema, environment);
  const { NODES, DATA_DIR, API_KEYS } = settings;
  return deepFreeze({
    nodes: NODES.length > 0 ? NODES.map(nameOfNode) : nodesOf(settings).map(({ name }) => name),
    directory: join(resolve(DATA_DIR), 'cluster'),
    apiKey: API_KEYS.find(({ role }) => role !== 'read')?.key,
    faults: faultsConfigOf(settings),
  });
}
