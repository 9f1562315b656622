export {
  clusterSecret,
  deriveKey,
  knownClusterSecret,
  SECRET_CRASH_SITES,
  type SecretPlaces,
  type SecretPorts,
} from './cluster-secret.js';
