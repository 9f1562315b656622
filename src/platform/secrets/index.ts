export {
  clusterSecret,
  deriveKey,
  knownClusterSecret,
  SECRET_CRASH_SITES,
  secretFileIn,
  type SecretLocations,
  type SecretPorts,
} from './cluster-secret.js';
