import { join } from 'node:path';
import {
  deepFreeze,
  type Environment,
  faultsConfigOf,
  loadCheckedEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { nameOfNode } from './replication-settings.js';
import { commonSchema, nodesOf } from './settings.js';

/** The settings of `npm run cluster`, frozen. */
export type ClusterConfig = ReturnType<typeof parseClusterConfig>;

/** As `loadConfig`. */
export function loadClusterConfig(): ClusterConfig {
  loadCheckedEnvironmentFile();
  return parseClusterConfig(process.env);
}

export function parseClusterConfig(environment: Environment) {
  const { http, storage, replication, cluster, client, faults } = parseSettings(commonSchema, environment);
  return deepFreeze({
    /** `host:port` each: NODES, else the replicas there are. */
    nodes: (cluster.nodes.length > 0 ? cluster.nodes : nodesOf(replication)).map(nameOfNode),
    /** Where open operations are kept, absolute. */
    directory: join(storage.dataDirectory, 'cluster'),
    /** API_KEY, else the first key of API_KEYS that may write. */
    apiKey: client.apiKey ?? http.apiKeys.find(({ role }) => role !== 'read')?.key,
    faults: faultsConfigOf(faults),
  });
}
