import { resolve } from 'node:path';
import { z } from 'zod';
import { ADDED_KEY_RETENTION_MS } from '../kernel/index.js';
import { allowedHosts, apiKeys, corsOrigins, rateLimit, sentKey } from './access-settings.js';
import { redisSettings } from './redis-settings.js';
import { nameOfNode, type NodeAddress, replicaNodes, replicaPorts } from './replication-settings.js';
import { wholeNumber } from './whole-number.js';

const port = (preset: number): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber('must be a port from 0 to 65535 (0: any free one)', 0, 65_535).default(preset);
const PORT_OR_OFF = 'must be a port from 0 to 65535 (0: any free one), or off';
const portOrOff = (preset: number): z.ZodDefault<z.ZodType<number | 'off', string>> =>
  z.union([z.literal('off'), wholeNumber(PORT_OR_OFF, 0, 65_535)], PORT_OR_OFF).default(preset);
const bytes = (preset: number): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber('must be a whole number of bytes', 0, Number.MAX_SAFE_INTEGER).default(preset);
const milliseconds = (preset: number, min = 1): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber(`must be a whole number of milliseconds from ${String(min)}`, min, MAX_MS).default(preset);
const onOff = (preset: 'on' | 'off'): z.ZodDefault<z.ZodEnum<{ on: 'on'; off: 'off' }>> =>
  z.enum(['on', 'off'], 'must be on or off').default(preset);

const MEBIBYTE = 1024 * 1024;
/** The longest delay of a Node timer. */
const MAX_MS = 2 ** 31 - 1;
/** GATEWAY_HOLD_MS and 5 s come on top. */
const MAX_CHECKOUT_TIMEOUT_MS = 100_000;
/** How much longer than CHECKOUT_TIMEOUT_MS the gateway waits for the answer of an active app. */
const ANSWER_IN_TRANSIT_MS = 5_000;
const MAX_REPLICAS = 64;
const REPLICAS_THAT_MUST_FOLLOW = 2;
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

const directory = (preset: string): z.ZodPipe<z.ZodDefault<z.ZodString>, z.ZodTransform<string, string>> =>
  z
    .string()
    .min(1)
    .default(preset)
    .transform((path) => resolve(path));

/** Every setting of every process, in slices. WRITE_CONCERN sets `writeConcern`. `.env.example` explains each setting. */
export const SLICES = {
  http: z.object({
    port: port(5050),
    host: z.string().min(1).default('127.0.0.1'),
    apiKeys,
    allowedHosts,
    corsOrigins,
    rateLimit,
    idempotencyKeys: wholeNumber('must be a whole number from 1 to 10000000', 1, 10_000_000).default(2_000_000),
    headersTimeoutMs: milliseconds(10_000),
    requestTimeoutMs: milliseconds(30_000),
  }),
  storage: z.object({
    dataDirectory: directory('./data'),
    replicasDirectory: directory('./replicas'),
    seed: onOff('on'),
    /** When undefined, the secret is kept in files that the first start creates. */
    clusterSecret: z.string().min(16, 'must have 16 characters or more').optional(),
    snapshotEveryBytes: bytes(2 * MEBIBYTE),
    journalReserveBytes: bytes(MEBIBYTE / 4),
    /** 0 disables the check. */
    dataCheckEveryMs: milliseconds(600_000, 0),
  }),
  replication: z.object({
    replicaPorts,
    replicaNodes,
    /** When undefined, the address where the app listens. */
    advertisedUrl: z
      .string()
      .regex(/^https?:\/\/[\w.:[\]-]+$/, 'must be http://host:port, without a trailing slash')
      .optional(),
    writeConcern: z.enum(['all', 'majority', 'primary'], 'must be all, majority or primary').default('all'),
    minInsyncReplicas: wholeNumber('must be a whole number', 0, MAX_REPLICAS).optional(),
    replicaTimeoutMs: milliseconds(500),
    writeDeadlineMs: milliseconds(2_000),
    readWaitMs: milliseconds(1_000, 0),
    pingMs: milliseconds(250),
    deadAfterMs: milliseconds(1_000),
    /** 0 disables the audit. */
    auditEveryMs: milliseconds(300_000, 0),
    replicationBatchBytes: wholeNumber('must be a whole number of bytes from 1 to 4194304', 1, 4 * MEBIBYTE).default(
      MEBIBYTE,
    ),
  }),
  registration: z.object({
    passwordMin: wholeNumber('must be a whole number of characters from 1 to 128', 1, 128).default(1),
    tokenKeyDays: wholeNumber('must be a whole number of days from 1 to 3650', 1, 3_650).default(30),
  }),
  gateway: z.object({ gatewayPort: portOrOff(8080), gatewayHoldMs: milliseconds(10_000) }),
  standby: z.object({ standbyPort: portOrOff(5052) }),
  cluster: z.object({ nodes: replicaNodes, appAddresses: replicaNodes }),
  /** Settings of the commands that call the app. */
  client: z.object({ apiKey: sentKey }),
  transactions: z.object({ prepareDeadlineMs: milliseconds(1_000), inDoubtAfterMs: milliseconds(5_000) }),
  supervisor: z.object({ supervisorPort: port(5060) }),
  checkouts: z.object({ checkoutTimeoutMs: milliseconds(30_000) }),
  cache: z.object({ cache: onOff('on'), cacheBytes: bytes(64 * MEBIBYTE) }),
  redis: redisSettings,
  log: z.object({
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
      .default('info'),
  }),
  faults: z.object({
    faults: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
    crashSite: z
      .string()
      .regex(/^[a-z\d][a-z\d.-]*(?:#[1-9]\d*)?$/, 'must be the name of a crash site, with #n for the n-th time')
      .optional(),
    sagaDeliveryDelayMs: milliseconds(0, 0),
  }),
};

const SHORTENED: Readonly<Record<string, string>> = { dataDirectory: 'DATA_DIR', replicasDirectory: 'REPLICAS_DIR' };

export function variableOf(field: string): string {
  return SHORTENED[field] ?? field.replace(/[A-Z]/g, '_$&').toUpperCase();
}

/** Each must be shorter than the one after it; otherwise the longer wait never sees what the shorter one decided. */
const SHORTER_BEFORE_LONGER = [
  ['replicaTimeoutMs', 'prepareDeadlineMs'],
  ['prepareDeadlineMs', 'writeDeadlineMs'],
  ['pingMs', 'deadAfterMs'],
  ['headersTimeoutMs', 'requestTimeoutMs'],
] as const;

const settingsSchema = z.object(SLICES);
export type Settings = z.infer<typeof settingsSchema>;

/** Rules for every process. */
export const commonSchema = settingsSchema.superRefine(
  ({ http, replication, transactions, checkouts, faults }, context) => {
    const refuse = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [field], message });
    };
    const { host, apiKeys: keys } = http;
    if (!isLoopback(host) && keys.length === 0) {
      refuse('apiKeys', `must be set to listen on ${host}: without keys, only this machine may call (HOST=127.0.0.1)`);
    }
    if (faults.crashSite !== undefined && faults.faults !== '1') refuse('crashSite', 'needs FAULTS=1');
    if (faults.sagaDeliveryDelayMs > 0 && faults.faults !== '1') refuse('sagaDeliveryDelayMs', 'needs FAULTS=1');
    if (checkouts.checkoutTimeoutMs > MAX_CHECKOUT_TIMEOUT_MS) {
      refuse(
        'checkoutTimeoutMs',
        `must be at most ${String(MAX_CHECKOUT_TIMEOUT_MS)}: an Idempotency-Key that gateway or reader adds lives two minutes`,
      );
    }
    if (new Set(keys.map(({ name }) => name)).size < keys.length)
      refuse('apiKeys', 'must give each key a different name');

    const waits = { ...http, ...replication, ...transactions };
    for (const [shorter, longer] of SHORTER_BEFORE_LONGER) {
      if (waits[shorter] < waits[longer]) continue;
      refuse(shorter, `must be below ${variableOf(longer)} (${String(waits[longer])})`);
    }
    const replicas = nodesOf(replication).length;
    const { minInsyncReplicas } = replication;
    const min = Math.min(1, replicas);
    if (minInsyncReplicas !== undefined && (minInsyncReplicas < min || minInsyncReplicas > replicas)) {
      const range =
        replicas === 0 ? '0: there are no replicas' : `from 1 to ${String(replicas)}, the number of replicas`;
      refuse('minInsyncReplicas', `must be ${range}`);
    }
  },
);

/** Rules for the app alone: REPLICA_PORTS may name the port of a replica, but not the app's own port. */
export const appSchema = commonSchema.superRefine(({ http, replication }, context) => {
  const field = replication.replicaNodes.length > 0 ? 'replicaNodes' : 'replicaPorts';
  const clash = nodesOf(replication).find(({ host, port: taken }) => isLoopback(host) && taken === http.port);
  if (!clash) return;
  const message = `must not name port ${String(clash.port)}, which is PORT, the app's own`;
  context.addIssue({ code: 'custom', path: [field], message });
});

/** Rules for the gateway: it holds a request longer than the app takes for a write, and its added key outlives every repeat. */
export const gatewaySchema = commonSchema.superRefine(({ replication, checkouts, gateway }, context) => {
  const refuse = (message: string): void => {
    context.addIssue({ code: 'custom', path: ['gatewayHoldMs'], message });
  };
  const { gatewayHoldMs } = gateway;
  const { writeDeadlineMs } = replication;
  if (gatewayHoldMs <= writeDeadlineMs) refuse(`must be above WRITE_DEADLINE_MS (${String(writeDeadlineMs)})`);
  const atMostMs = ADDED_KEY_RETENTION_MS - answerWithinMs(checkouts);
  if (gatewayHoldMs > atMostMs) {
    refuse(
      `must be at most ${String(atMostMs)}: with CHECKOUT_TIMEOUT_MS and 5000 ms, no more than an added key lives`,
    );
  }
});

/** How long gateway and readers wait for the app's answer to a checkout. */
export function answerWithinMs({ checkoutTimeoutMs }: Settings['checkouts']): number {
  return checkoutTimeoutMs + ANSWER_IN_TRANSIT_MS;
}

/** Returns the nodes of REPLICA_NODES when it is set, or else this machine at each of REPLICA_PORTS. */
export function nodesOf({
  replicaNodes: given,
  replicaPorts: ports,
}: Settings['replication']): (NodeAddress & { readonly name: string })[] {
  const nodes = given.length > 0 ? given : ports.map((p) => ({ host: '127.0.0.1', port: p }));
  return nodes.map((node) => ({ name: nameOfNode(node), ...node }));
}

/** How many replicas must hold a write: the setting, or else two, or all replicas when there are fewer than two. */
export function minInSyncOf(replication: Settings['replication']): number {
  return replication.minInsyncReplicas ?? Math.min(REPLICAS_THAT_MUST_FOLLOW, nodesOf(replication).length);
}
