import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../kernel/index.js';
import {
  deepFreeze,
  type Environment,
  faultsConfigOf,
  httpConfigOf,
  loadCheckedEnvironmentFile,
  parseSettings,
} from './parse-settings.js';
import { settingsInForce } from './settings-in-force.js';
import { commonSchema } from './settings.js';

/** The settings of one replica process, frozen. Paths are absolute. */
export type ReplicaConfig = ReturnType<typeof parseReplicaConfig>;

/**
 * As `loadConfig`, for a replica. Its port is `--port` of the command line, else PORT of the environment; never that
 * of `.env`, which is the app's. Throws `misconfigured` naming every setting that is wrong, or the missing port.
 */
export function loadReplicaConfig(commandLine: readonly string[] = process.argv.slice(2)): ReplicaConfig {
  const { PORT } = process.env;
  loadCheckedEnvironmentFile();
  return parseReplicaConfig(commandLine, { ...process.env, PORT });
}

export function parseReplicaConfig(commandLine: readonly string[], environment: Environment) {
  const PORT = portIn(commandLine) ?? environment['PORT'];
  if (PORT === undefined || PORT === '') {
    throw misconfigured('PORT must be given to a replica: npm run start:replica -- --port 5071');
  }
  const settings = parseSettings(commonSchema, { ...environment, PORT });
  const { storage, replication, log } = settings;
  const http = httpConfigOf(settings);
  return deepFreeze({
    ...{ ...storage, ...replication, http, log },
    /** Everything this replica keeps. */
    directory: join(storage.replicasDirectory, String(http.port)),
    faults: faultsConfigOf(settings.faults),
    inForce: settingsInForce(settings),
  });
}

function portIn(commandLine: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...commandLine], options: { port: { type: 'string' } } }).values.port;
  } catch (cause) {
    throw misconfigured('a replica takes --port and nothing else', cause);
  }
}

function misconfigured(message: string, cause?: unknown): AppError {
  return new AppError('misconfigured', message, { retry: 'never', cause });
}
