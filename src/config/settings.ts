import { z } from 'zod';
import { allowedHosts, apiKeys, corsOrigins, rateLimit } from './access-settings.js';
import { nameOfNode, type NodeAddress, replicaNodes, replicaPorts } from './replication-settings.js';
import { wholeNumber } from './whole-number.js';

const port = (preset: number): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber('must be a port from 0 to 65535 (0: any free one)', 0, 65_535).default(preset);
const bytes = (preset: number): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber('must be a whole number of bytes', 0, Number.MAX_SAFE_INTEGER).default(preset);
const milliseconds = (preset: number, min = 1): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber(`must be a whole number of milliseconds from ${String(min)}`, min, MAX_MS).default(preset);
const onOff = (preset: 'on' | 'off'): z.ZodDefault<z.ZodEnum<{ on: 'on'; off: 'off' }>> =>
  z.enum(['on', 'off'], 'must be on or off').default(preset);

const MEBIBYTE = 1024 * 1024;
/** Node's timers go no further. */
const MAX_MS = 2 ** 31 - 1;
const MAX_REPLICAS = 64;
const REPLICAS_THAT_MUST_FOLLOW = 2;
/** Each must be shorter than the one after it: otherwise the longer wait never sees what the shorter one decided. */
const SHORTER_BEFORE_LONGER = [
  ['REPLICA_TIMEOUT_MS', 'PREPARE_DEADLINE_MS'],
  ['PREPARE_DEADLINE_MS', 'WRITE_DEADLINE_MS'],
  ['PING_MS', 'DEAD_AFTER_MS'],
  ['HEADERS_TIMEOUT_MS', 'REQUEST_TIMEOUT_MS'],
] as const;
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Every setting, as it stands in the environment, of whichever process. `.env.example` says the same for people. */
export const settingsSchema = z
  .object({
    PORT: port(5050),
    HOST: z.string().min(1).default('127.0.0.1'),
    DATA_DIR: z.string().min(1).default('./data'),
    REPLICA_PORTS: replicaPorts,
    REPLICA_NODES: replicaNodes,
    NODES: replicaNodes,
    REPLICAS_DIR: z.string().min(1).default('./replicas'),
    ADVERTISED_URL: z
      .string()
      .regex(/^https?:\/\/[\w.:[\]-]+$/, 'must be http://host:port, without a slash at its end')
      .optional(),
    WRITE_CONCERN: z.enum(['all', 'majority', 'primary'], 'must be all, majority or primary').default('all'),
    MIN_INSYNC_REPLICAS: wholeNumber('must be a whole number', 0, MAX_REPLICAS).optional(),
    REPLICA_TIMEOUT_MS: milliseconds(500),
    PREPARE_DEADLINE_MS: milliseconds(1_000),
    WRITE_DEADLINE_MS: milliseconds(2_000),
    IN_DOUBT_AFTER_MS: milliseconds(5_000),
    READ_WAIT_MS: milliseconds(1_000, 0),
    PING_MS: milliseconds(250),
    DEAD_AFTER_MS: milliseconds(1_000),
    AUDIT_EVERY_MS: milliseconds(300_000, 0),
    REPLICATION_BATCH_BYTES: wholeNumber('must be a whole number of bytes from 1 to 4194304', 1, 4 * MEBIBYTE).default(
      MEBIBYTE,
    ),
    CACHE: onOff('on'),
    CACHE_BYTES: bytes(64 * MEBIBYTE),
    SEED: onOff('on'),
    API_KEYS: apiKeys,
    ALLOWED_HOSTS: allowedHosts,
    CORS_ORIGINS: corsOrigins,
    RATE_LIMIT: rateLimit,
    IDEMPOTENCY_KEYS: wholeNumber('must be a whole number from 1 to 10000000', 1, 10_000_000).default(2_000_000),
    HEADERS_TIMEOUT_MS: milliseconds(10_000),
    REQUEST_TIMEOUT_MS: milliseconds(30_000),
    CLUSTER_SECRET: z.string().min(16, 'must have 16 characters or more').optional(),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
      .default('info'),
    SNAPSHOT_EVERY_BYTES: bytes(2 * MEBIBYTE),
    JOURNAL_RESERVE_BYTES: bytes(MEBIBYTE / 4),
    DATA_CHECK_EVERY_MS: milliseconds(600_000, 0),
    FAULTS: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
    CRASH_SITE: z
      .string()
      .regex(/^[a-z\d][a-z\d.-]*(?:#[1-9]\d*)?$/, 'must be the name of a crash site, with #n for the n-th time')
      .optional(),
  })
  .superRefine((settings, context) => {
    const refuse = (name: keyof typeof settings, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    const { HOST, API_KEYS } = settings;
    if (!isLoopback(HOST) && API_KEYS.length === 0) {
      const reason = 'without keys only this machine may call (HOST=127.0.0.1)';
      refuse('API_KEYS', `must be set to listen on ${HOST}: ${reason}`);
    }
    if (settings.CRASH_SITE !== undefined && settings.FAULTS !== '1') refuse('CRASH_SITE', 'needs FAULTS=1');
    const names = API_KEYS.map(({ name }) => name);
    if (new Set(names).size < names.length) refuse('API_KEYS', 'must name each key differently');

    for (const [shorter, longer] of SHORTER_BEFORE_LONGER) {
      if (settings[shorter] < settings[longer]) continue;
      refuse(shorter, `must be below ${longer} (${String(settings[longer])})`);
    }
    const replicas = nodesOf(settings).length;
    const minInSync = settings.MIN_INSYNC_REPLICAS;
    const min = Math.min(1, replicas);
    if (minInSync !== undefined && (minInSync < min || minInSync > replicas)) {
      const range =
        replicas === 0 ? '0: there are no replicas' : `from 1 to ${String(replicas)}, for so many there are`;
      refuse('MIN_INSYNC_REPLICAS', `must be ${range}`);
    }
  });

export type Settings = z.infer<typeof settingsSchema>;

/** What holds for the app alone: the PORT of a replica stands in REPLICA_PORTS, its own must not. */
export const appSettingsSchema = settingsSchema.superRefine((settings, context) => {
  const name = settings.REPLICA_NODES.length > 0 ? 'REPLICA_NODES' : 'REPLICA_PORTS';
  const clash = nodesOf(settings).find(({ host, port: taken }) => isLoopback(host) && taken === settings.PORT);
  if (!clash) return;
  const message = `must not name port ${String(clash.port)}, which is PORT, the app's own`;
  context.addIssue({ code: 'custom', path: [name], message });
});

/** The replicas there are: REPLICA_NODES where it is given, else this machine at REPLICA_PORTS. */
export function nodesOf({
  REPLICA_NODES,
  REPLICA_PORTS,
}: Pick<Settings, 'REPLICA_NODES' | 'REPLICA_PORTS'>): (NodeAddress & { readonly name: string })[] {
  const nodes = REPLICA_NODES.length > 0 ? REPLICA_NODES : REPLICA_PORTS.map((p) => ({ host: '127.0.0.1', port: p }));
  return nodes.map((node) => ({ name: nameOfNode(node), ...node }));
}

/** How many replicas must hold a write: as set, else two, or all of them where there are fewer. */
export function minInSyncOf(settings: Settings): number {
  return settings.MIN_INSYNC_REPLICAS ?? Math.min(REPLICAS_THAT_MUST_FOLLOW, nodesOf(settings).length);
}
