import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../kernel/index.js';
import {
  deepFreeze,
  type Environment,
  type FaultsConfig,
  faultsConfigOf,
  type HttpConfig,
  httpConfigOf,
  loadEnvironmentFile,
  type LogConfig,
  parseSettings,
} from './parse-settings.js';
import { settingsInForce, type SettingsInForce } from './settings-in-force.js';
import { settingsSchema } from './settings.js';

/** The settings of one replica process, frozen. Paths are absolute. */
export interface ReplicaConfig {
  readonly http: HttpConfig;
  /** Everything this replica keeps: REPLICAS_DIR/<port>. */
  readonly directory: string;
  /** Undefined: kept in `directory`, or found in `dataDirectory` or another replica's. */
  readonly clusterSecret: string | undefined;
  /** The app's, if it runs on this machine: only to look for the secret there. */
  readonly dataDirectory: string;
  readonly replicasDirectory: string;
  /** How long a read with `min_seq` waits. */
  readonly readWaitMs: number;
  /** How long a write that is passed on may take. */
  readonly writeDeadlineMs: number;
  /** A primary that is silent that long is taken for gone. */
  readonly deadAfterMs: number;
  readonly snapshotEveryBytes: number;
  readonly journalReserveBytes: number;
  readonly log: LogConfig;
  readonly faults: FaultsConfig;
  readonly inForce: SettingsInForce;
}

/**
 * As `loadConfig`, for a replica. Its port is `--port` of the command line, else PORT of the environment; never that
 * of `.env`, which is the app's. Throws `misconfigured` naming every setting that is wrong, or the missing port.
 */
export function loadReplicaConfig(commandLine: readonly string[] = process.argv.slice(2)): ReplicaConfig {
  const { PORT } = process.env;
  loadEnvironmentFile();
  return parseReplicaConfig(commandLine, { ...process.env, PORT });
}

export function parseReplicaConfig(commandLine: readonly string[], environment: Environment): ReplicaConfig {
  const PORT = portIn(commandLine) ?? environment['PORT'];
  if (PORT === undefined || PORT === '') {
    throw misconfigured('PORT must be given to a replica: npm run start:replica -- --port 5071');
  }
  const settings = parseSettings(settingsSchema, { ...environment, PORT });
  const replicasDirectory = resolve(settings.REPLICAS_DIR);
  return deepFreeze({
    http: httpConfigOf(settings),
    directory: join(replicasDirectory, String(settings.PORT)),
    clusterSecret: settings.CLUSTER_SECRET,
    dataDirectory: resolve(settings.DATA_DIR),
    replicasDirectory,
    readWaitMs: settings.READ_WAIT_MS,
    writeDeadlineMs: settings.WRITE_DEADLINE_MS,
    deadAfterMs: settings.DEAD_AFTER_MS,
    snapshotEveryBytes: settings.SNAPSHOT_EVERY_BYTES,
    journalReserveBytes: settings.JOURNAL_RESERVE_BYTES,
    log: { level: settings.LOG_LEVEL },
    faults: faultsConfigOf(settings),
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
