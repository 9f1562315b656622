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

export type ClusterConfig = ReturnType<typeof parseClusterConfig>;

export function loadClusterConfig(): ClusterConfig {
  loadCheckedEnvironmentFile();
  return parseClusterConfig(process.env);
}

export function parseClusterConfig(environment: Environment) {
  const { http, storage, replication, cluster, client, faults } = parseSettings(commonSchema, environment);
  return deepFreeze({
    /** Each is `host:port`: from NODES, or else the configured replicas. */
    nodes: (cluster.nodes.length > 0 ? cluster.nodes : nodesOf(replication)).map(nameOfNode),
    directory: join(storage.dataDirectory, 'cluster'),
    /** API_KEY, or else the first key of API_KEYS that may write. */
    apiKey: client.apiKey ?? http.apiKeys.find(({ role }) => role !== 'read')?.key,
    faults: faultsConfigOf(faults),
  });
}
