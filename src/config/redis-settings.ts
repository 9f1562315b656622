import { join } from 'node:path';
import { z } from 'zod';
import { replicaNodes } from './replication-settings.js';

const NODES = 6;
/** A node listens for other nodes on the port that is higher by this. */
export const BUS_OFFSET = 10_000;
const MAX_REDIS_PORT = 65_535 - BUS_OFFSET;
const PORTS_RULE = `must be ${String(NODES)} different ports from 1 to ${String(MAX_REDIS_PORT)} with commas between them, or empty for none`;

const redisClusterPorts = z
  .string()
  .default('7000,7001,7002,7003,7004,7005')
  .transform((text, context) => {
    if (text.trim() === '') return [];
    const ports = text.split(',').map((entry) => (/^ *\d{1,5} *$/.test(entry) ? Number(entry) : 0));
    const areValid = ports.every((port) => port >= 1 && port <= MAX_REDIS_PORT) && new Set(ports).size === NODES;
    if (!areValid || ports.length !== NODES) context.addIssue({ code: 'custom', message: PORTS_RULE });
    return ports;
  });

export const redisSettings = z.object({
  redis: z.enum(['auto', 'off'], 'must be auto or off').default('auto'),
  redisClusterPorts,
  redisClusterNodes: replicaNodes,
  redisPassword: z.string().optional(),
  redisServerBin: z.string().optional(),
});

/** Where app, readers and commands find a cluster. Undefined when there is none: REDIS is off, or no setting names a node. */
export function redisConfigOf({ redis, ...settings }: z.infer<typeof redisSettings>, dataDirectory: string) {
  if (redis === 'off' || settings.redisClusterNodes.length + settings.redisClusterPorts.length === 0) return undefined;
  return {
    /** Nodes of an existing cluster; when there are none, `npm start` runs a cluster on this machine. */
    nodes: settings.redisClusterNodes,
    /** The password of the existing cluster. */
    password: settings.redisPassword,
    /** The directory of the cluster that `npm start` runs; `clusterAccess` of platform/redis reads its nodes and password. */
    directory: join(dataDirectory, 'redis'),
  };
}
