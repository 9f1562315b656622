import { join } from 'node:path';
import type { AppConfig } from '../../config/index.js';
import { findRedisServer, lookAt, missingOf, remedyFor, unreadableConfig } from '../../platform/redis/index.js';
import type { Message } from './process-kind.js';

/** Says why the Redis nodes, or one of them, do not run, and what to do. The rest runs without them. */

const MIN_VERSION = 7;
/** Nothing waits for this look, so it has time. */
const NAMED_WITHIN_MS = 10_000;
const PUT_BACK = '"git checkout cluster-config" puts it back';

type RedisConfig = NonNullable<AppConfig['redis']>;

/** The Redis server that `count` nodes are to run. Undefined when none is to run here; then a line says why, unless a setting asks for that. */
export function serverFor(
  { redis, cache, http }: AppConfig,
  count: number,
  print: (message: Message) => void,
): string | undefined {
  if (!redis) return undefined;
  const isCacheOn = cache.maxBytes !== undefined;
  const isUsed = isCacheOn || http.requestsPerMinute !== undefined;
  if (redis.nodes.length > 0) {
    // The start goes on meanwhile.
    if (isUsed) void reportUnusable(redis, print);
    return undefined;
  }
  if (!isUsed) {
    print({
      text: 'CACHE=off, and no RATE_LIMIT applies: nothing uses Redis, so no node of it runs.',
      isTrouble: false,
    });
    return undefined;
  }
  const server = findRedisServer(redis.serverBin, process.env['PATH'] ?? '');
  const obstacle = obstacleTo(redis, server, count);
  if (obstacle !== undefined) {
    print(inMemoryAlone(...obstacle));
    return undefined;
  }
  if (!isCacheOn) print({ text: 'CACHE=off: the Redis nodes run for RATE_LIMIT alone.', isTrouble: false });
  return server;
}

/** Says why no node that REDIS_CLUSTER_NODES names can be used. Never rejects. */
async function reportUnusable({ nodes, password }: RedisConfig, print: (message: Message) => void): Promise<void> {
  const { views, refusals } = await lookAt(nodes, password, NAMED_WITHIN_MS);
  const missing = missingOf(nodes, [], refusals);
  if (views.length > 0 || missing === undefined) return;
  print({ text: `${missing}: ${remedyFor(refusals)}. Reads go without Redis.`, isTrouble: true });
}

/** What keeps all nodes from running, and what to do. */
function obstacleTo(
  { clashes, serverBin }: RedisConfig,
  server: string | undefined,
  count: number,
): readonly [problem: string, remedy: string] | undefined {
  if (clashes.length > 0) {
    return [`misconfigured: ${clashes.join('; ')}`, 'Give each setting ports of its own'];
  }
  if (server === undefined) {
    return serverBin === undefined
      ? ['There is no redis-server on this machine', '"npm run setup" installs it, REDIS=off does without']
      : [`REDIS_SERVER_BIN=${serverBin} is not a program`, 'Name a Redis server, or set REDIS=off'];
  }
  const unreadable = unreadableConfig(count);
  return unreadable === undefined ? undefined : [unreadable, `${PUT_BACK}, REDIS=off does without`];
}

export function unusable(error: unknown): Message {
  return inMemoryAlone(`Redis cannot be used (${(error as Error).message})`, 'Correct that, or set REDIS=off');
}

function inMemoryAlone(problem: string, remedy: string): Message {
  return { text: `${problem}: the cache is in memory alone. ${remedy}.`, isTrouble: true };
}

/** Why a Redis server with the configuration in `file` did not start in `directory`; a killed one says nothing. */
export function redisComplaintIn(
  output: string,
  { number, port, directory, file }: Readonly<Record<'directory' | 'file', string> & Record<'number' | 'port', number>>,
): string | undefined {
  if (/Could not create server TCP listening socket|Failed listening on port/.test(output)) {
    return `port-taken: port ${String(port)} or ${String(port + 10_000)}, for Redis ${String(number)}, is in use by another program: stop that program, or set REDIS_CLUSTER_PORTS to free ports`;
  }
  const [fatal] = /(?:Unrecoverable error|Fatal error|Fatal:)[^\n]*/.exec(output) ?? [];
  if (fatal?.includes('corrupted cluster config file') === true) {
    return `${join(directory, 'nodes.conf')} of Redis ${String(number)} is damaged: delete that file, it is made again`;
  }
  if (fatal !== undefined) return fatal.includes(file) ? `${fatal}: ${PUT_BACK}` : fatal;
  const [, version = '', line = '', directive = ''] =
    /FATAL CONFIG FILE ERROR \(Redis ([\d.]+)\) \*+\nReading the configuration file, at line (\d+)\n>>> ([^\n]*)/.exec(
      output,
    ) ?? [];
  if (version === '') return undefined;
  const remedy = parseInt(version, 10) < MIN_VERSION ? `install Redis ${String(MIN_VERSION)} or later` : PUT_BACK;
  return `${file}, line ${line}: Redis ${version} refuses ${directive}: ${remedy}`;
}
