import type { Log, Timers } from '../../kernel/index.js';
import { directoriesIn } from '../disk/index.js';
import { knownClusterSecret, type SecretPorts } from './cluster-secret.js';

const LOOK_EVERY_MS = 250;

export interface SecretSources {
  /** Undefined: kept in `directory`, or found in `dataDirectory` or another replica's directory. */
  readonly clusterSecret?: string | undefined;
  readonly directory: string;
  /** The app's directory, if it runs on this machine. */
  readonly dataDirectory: string;
  readonly replicasDirectory: string;
}

/**
 * Waits for the cluster's secret: given, kept here, or copied from the app or another replica on this machine and then kept here.
 * Rejects with `misconfigured` when two secrets differ.
 */
export async function whenSecretKnown(
  ports: SecretPorts & { readonly log: Log; readonly timers: Timers },
  { clusterSecret, directory, dataDirectory, replicasDirectory }: SecretSources,
): Promise<string> {
  for (let isFirst = true; ; isFirst = false) {
    const secret = await knownClusterSecret(ports, {
      given: clusterSecret,
      dataDirectory,
      replicaDirectories: [
        directory,
        ...(await directoriesIn(replicasDirectory)).filter((other) => other !== directory),
      ],
      keepIn: [directory],
    });
    if (secret !== undefined) return secret;
    if (isFirst) {
      ports.log.info('waiting for the cluster secret: start the app on this machine, or set CLUSTER_SECRET', {
        lookedIn: [dataDirectory, replicasDirectory],
      });
    }
    await new Promise<void>((resolve) => ports.timers.after(LOOK_EVERY_MS, resolve));
  }
}
