import { join } from 'node:path';
import { AppError } from '../kernel/index.js';
import {
  deepFreeze,
  type Environment,
  faultsConfigOf,
  httpConfigOf,
  loadCheckedEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { nameOfNode } from './replication-settings.js';
import { settingsInForce } from './settings-in-force.js';
import { commonSchema } from './settings.js';

/** Paths are absolute. */
export type ReplicaConfig = ReturnType<typeof parseReplicaConfig>;

/**
 * Works as `loadConfig` does. The port is `given`, or else PORT of the environment, but never PORT of `.env`, which is the app's.
 * Throws `misconfigured`, naming every invalid setting or the missing port.
 */
export function loadReplicaConfig(given: string | undefined): ReplicaConfig {
  const { PORT } = process.env;
  loadCheckedEnvironmentFile();
  return parseReplicaConfig(given, { ...process.env, PORT });
}

export function parseReplicaConfig(given: string | undefined, environment: Environment) {
  const PORT = given ?? environment['PORT'];
  if (PORT === undefined || PORT === '') {
    const message = 'PORT must be set for a replica: npm run start:replica -- --port 5071';
    throw new AppError('misconfigured', message, { retry: 'never' });
  }
  const settings = parseSettings(commonSchema, { ...environment, PORT });
  const { storage, replication, cluster, log } = settings;
  const http = httpConfigOf(settings);
  return deepFreeze({
    ...{ ...storage, ...replication, http, log },
    /** Each is `host:port`. */
    appAddresses: cluster.appAddresses.map(nameOfNode),
    directory: join(storage.replicasDirectory, String(http.port)),
    faults: faultsConfigOf(settings.faults),
    inForce: settingsInForce(settings),
  });
}
