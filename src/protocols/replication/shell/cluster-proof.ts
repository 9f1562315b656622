import type { Log } from '../../../kernel/index.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { systemRandom, systemTimers } from '../../../platform/process/index.js';
import { knownClusterSecret } from '../../../platform/secrets/index.js';
import { isAuthorized, replicationAuthorization } from './replication-authorization.js';

const LOOK_EVERY_MS = 1_000;

export interface ClusterSecretSources {
  /** The directory of the app's data, where the secret is kept unless it is given. */
  readonly dataDirectory: string;
  readonly clusterSecret: string | undefined;
}

/** What processes of this system show each other. */
export interface ClusterProof {
  /** Undefined until the first start of the app has made the secret. */
  readonly known: () => string | undefined;
  readonly isProvedBy: (presented: string | undefined) => boolean;
  /** Ends the search for the secret. */
  readonly close: () => void;
}

/** Looks for the secret until it is known. Calls `found` once, as soon as it is. */
export async function openClusterProof(
  { dataDirectory, clusterSecret: given }: ClusterSecretSources,
  log: Log,
  found: (secret: string) => void = () => undefined,
): Promise<ClusterProof> {
  let proof: string | undefined;
  let cancel: () => void = () => undefined;
  const ports = { disk: new NodeDisk(), random: systemRandom, crashSites: NO_CRASH_SITES, log };
  const sources = { given, dataDirectory, replicaDirectories: [], keepIn: [] };
  const look = async (): Promise<void> => {
    const secret = await knownClusterSecret(ports, sources).catch((error: unknown) => {
      log.warn('the cluster secret cannot be read', { error: String(error) });
      return undefined;
    });
    if (secret === undefined) cancel = systemTimers.after(LOOK_EVERY_MS, () => void look());
    else {
      proof = replicationAuthorization(secret);
      found(secret);
    }
  };
  await look();
  return {
    known: () => proof,
    isProvedBy: (presented) => proof !== undefined && isAuthorized(presented, proof),
    close: () => {
      cancel();
    },
  };
}
