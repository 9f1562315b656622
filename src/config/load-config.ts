import { resolve } from 'node:path';
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
import type { NodeAddress } from './replication-settings.js';
import { settingsInForce, type SettingsInForce } from './settings-in-force.js';
import { appSettingsSchema, minInSyncOf, nodesOf, settingsSchema } from './settings.js';

/** The settings of the app process, in slices, frozen. */
export interface AppConfig {
  readonly http: HttpConfig;
  readonly storage: {
    readonly dataDirectory: string;
    /** Where replicas of this machine keep their directories, each named like its port. */
    readonly replicasDirectory: string;
    readonly snapshotEveryBytes: number;
    readonly journalReserveBytes: number;
    /** 0: never. */
    readonly checkEveryMs: number;
    readonly seed: boolean;
    /** Undefined: kept in the data directory, made at the first start. */
    readonly clusterSecret: string | undefined;
  };
  readonly replication: ReplicationConfig;
  readonly transactions: {
    /** Above `replication.replicaTimeoutMs`. */
    readonly prepareDeadlineMs: number;
    /** Above `prepareDeadlineMs`. */
    readonly answerDeadlineMs: number;
    readonly inDoubtAfterMs: number;
  };
  readonly cache: { readonly maxBytes: number | undefined };
  readonly log: LogConfig;
  readonly faults: FaultsConfig;
  readonly inForce: SettingsInForce;
}

export interface ReplicationConfig {
  /** Empty: none. `name` is `host:port`. */
  readonly nodes: readonly (NodeAddress & { readonly name: string })[];
  /** The ports of those that `npm start` runs on this machine: all of them, or none. */
  readonly localPorts: readonly number[];
  /** Where nodes reach the app; undefined: where it listens. */
  readonly advertisedUrl: string | undefined;
  /** From 1 to the number of nodes; 0 where there are none. */
  readonly minInSync: number;
  readonly writeConcern: 'all' | 'majority' | 'primary';
  readonly replicaTimeoutMs: number;
  /** Above `replicaTimeoutMs`. */
  readonly writeDeadlineMs: number;
  /** How long a read with `min_seq` waits. */
  readonly readWaitMs: number;
  readonly pingMs: number;
  /** Above `pingMs`. */
  readonly deadAfterMs: number;
  /** 0: never. */
  readonly auditEveryMs: number;
  /** Of the records that go to a replica in one message, or one record if that is larger. */
  readonly batchBytes: number;
}

/** Where things are kept on this machine, absolute. */
export interface Directories {
  readonly dataDirectory: string;
  readonly replicasDirectory: string;
}

/**
 * Reads `.env` of the working directory (the environment wins) and the environment. Throws `misconfigured` naming
 * every setting that is wrong.
 */
export function loadConfig(): AppConfig {
  loadEnvironmentFile();
  return parseConfig(process.env);
}

/** The directories alone, from where `loadConfig` reads them: also when another setting is wrong. */
export function loadDirectories(): Directories {
  loadEnvironmentFile();
  const { DATA_DIR, REPLICAS_DIR } = settingsSchema.shape;
  return {
    dataDirectory: resolve(DATA_DIR.parse(process.env['DATA_DIR'] || undefined)),
    replicasDirectory: resolve(REPLICAS_DIR.parse(process.env['REPLICAS_DIR'] || undefined)),
  };
}

export function parseConfig(environment: Environment): AppConfig {
  const settings = parseSettings(appSettingsSchema, environment);
  return deepFreeze({
    http: httpConfigOf(settings),
    storage: {
      dataDirectory: resolve(settings.DATA_DIR),
      replicasDirectory: resolve(settings.REPLICAS_DIR),
      snapshotEveryBytes: settings.SNAPSHOT_EVERY_BYTES,
      journalReserveBytes: settings.JOURNAL_RESERVE_BYTES,
      checkEveryMs: settings.DATA_CHECK_EVERY_MS,
      seed: settings.SEED === 'on',
      clusterSecret: settings.CLUSTER_SECRET,
    },
    replication: {
      nodes: nodesOf(settings),
      localPorts: settings.REPLICA_NODES.length > 0 ? [] : settings.REPLICA_PORTS,
      advertisedUrl: settings.ADVERTISED_URL,
      minInSync: minInSyncOf(settings),
      writeConcern: settings.WRITE_CONCERN,
      replicaTimeoutMs: settings.REPLICA_TIMEOUT_MS,
      writeDeadlineMs: settings.WRITE_DEADLINE_MS,
      readWaitMs: settings.READ_WAIT_MS,
      pingMs: settings.PING_MS,
      deadAfterMs: settings.DEAD_AFTER_MS,
      auditEveryMs: settings.AUDIT_EVERY_MS,
      batchBytes: settings.REPLICATION_BATCH_BYTES,
    },
    transactions: {
      prepareDeadlineMs: settings.PREPARE_DEADLINE_MS,
      answerDeadlineMs: settings.WRITE_DEADLINE_MS,
      inDoubtAfterMs: settings.IN_DOUBT_AFTER_MS,
    },
    cache: { maxBytes: settings.CACHE === 'on' ? settings.CACHE_BYTES : undefined },
    log: { level: settings.LOG_LEVEL },
    faults: faultsConfigOf(settings),
    inForce: settingsInForce(settings),
  });
}
