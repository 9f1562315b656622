export { type AppConfig, type Directories, loadConfig, loadDirectories, parseConfig } from './load-config.js';
export { type GatewayConfig, loadGatewayConfig, parseGatewayConfig } from './load-gateway-config.js';
export { loadReaderConfig, type ReaderConfig } from './load-reader-config.js';
export { loadReplicaConfig, type ReplicaConfig } from './load-replica-config.js';
export { namedDirectories } from './named-directories.js';
export { differencesOf, type Difference, type SettingsInForce } from './settings-in-force.js';
export { type ClusterConfig, loadClusterConfig, parseClusterConfig } from './load-cluster-config.js';
