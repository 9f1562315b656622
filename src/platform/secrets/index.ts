export {
  clusterSecret,
  deriveKey,
  knownClusterSecret,
  SECRET_CRASH_SITES,
  secretFileIn,
  type SecretPlaces,
  type SecretPorts,
} from './cluster-secret.js';
