export {
  clusterSecret,
  deriveKey,
  knownClusterSecret,
  SECRET_CRASH_SITES,
  secretFileIn,
  type SecretLocations,
  type SecretPorts,
} from './cluster-secret.js';
export { whenSecretKnown } from './when-secret-known.js';
