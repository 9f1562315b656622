import { renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppConfig } from '../../config/index.js';
import { type FileLayout, presenceOf, type ReadinessProbe, type RunFile } from '../../platform/nodes/index.js';
import {
  answersPing,
  configFile,
  ensurePassword,
  findRedisServer,
  formCluster,
  freeNodePorts,
  type RedisEndpoint,
  removeClusterNodes,
  serverArguments,
  unreadableConfig,
  writeClusterNodes,
} from '../../platform/redis/index.js';
import { type RestartPolicy, SPARE } from './managed-process-core.js';
import type { Message, ProcessDescription, ProcessKind } from './process-kind.js';

const HOST = '127.0.0.1';
const NODES = 6;
const MAX_LOG_BYTES = 8 * 1024 * 1024;
const LOOK_AGAIN_AFTER_MS = 3_000;
/** No waiting for what is missing. */
const ONE_LOOK = 0;
const MIN_VERSION = 7;
const PUT_BACK = '"git checkout cluster-config" puts it back';
const NUMBERS = Array.from({ length: NODES }, (_, index) => index + 1);

type Print = (message: Message) => void;
type RedisConfig = NonNullable<AppConfig['redis']>;

/**
 * The rest runs without Redis, whatever is wrong with it. A killed master has lost its keys: it comes back after its replica,
 * which has them, took over (2.2 s after the kill).
 */
const REDIS_NODE: RestartPolicy = { ...SPARE, firstRetryAfterMs: 3_000, hopelessAtFirst: /(?!)/ };

/** The nodes of a Redis Cluster on this machine. Forming it goes on while everything else starts and serves. */
export const REDIS_KIND: ProcessKind = {
  title: 'Redis node',
  restart: REDIS_NODE,
  // The app uses the cache until it ends.
  stopRank: 2,
  runFiles: (layout) => NUMBERS.map((number) => layout.redisNode(number).runFile),
  processes: (config, layout, print) =>
    nodesFor(config, layout, print).catch((error: unknown) => {
      print(unusable(error));
      return [];
    }),
  announce: (processes, { redisDirectory }, print) => {
    const nodes = processes.flatMap(({ runFile: { url } }) => (url === undefined ? [] : [endpointOf(url)]));
    try {
      if (nodes.length === 0) removeClusterNodes(redisDirectory);
      else writeClusterNodes(redisDirectory, nodes);
    } catch (error) {
      print(unusable(error));
    }
  },
};

async function nodesFor(config: AppConfig, layout: FileLayout, print: Print): Promise<readonly ProcessDescription[]> {
  const program = serverFor(config, print);
  const { redis } = config;
  if (!redis || program === undefined) return [];
  const running = await runningPorts(layout);
  const ports = await freeNodePorts(redis.ports, running, redis.reservedPorts);
  reportMoved(redis.ports, ports, print);
  const nodes = ports.map((port) => ({ host: HOST, port }));
  const password = ensurePassword(layout.redisDirectory);
  const onReady = joining((withinMs) => formCluster(nodes, password, { withinMs }), print);
  running.forEach((port, index) => port === undefined && putAsideLongLog(layout.redisNode(index + 1).log));
  return nodes.map((node, index) => ({ ...descriptionOf(program, index + 1, node, password, layout), onReady }));
}

/** The Redis server to start. Undefined when no node is to run here; then a line says why, unless that was asked for. */
function serverFor({ redis, cache, http }: AppConfig, print: Print): string | undefined {
  if (!redis || redis.nodes.length > 0) return undefined;
  const isCacheOn = cache.maxBytes !== undefined;
  if (!isCacheOn && http.requestsPerMinute === undefined) {
    print({
      text: 'CACHE=off, and no RATE_LIMIT applies: nothing uses Redis, so no node of it runs.',
      isTrouble: false,
    });
    return undefined;
  }
  const server = findRedisServer(redis.serverBin, process.env['PATH'] ?? '');
  const obstacle = obstacleTo(redis, server);
  if (obstacle !== undefined) {
    print(inMemoryAlone(...obstacle));
    return undefined;
  }
  if (!isCacheOn) print({ text: 'CACHE=off: the Redis nodes run for RATE_LIMIT alone.', isTrouble: false });
  return server;
}

/** What keeps all nodes from running, and what to do. */
function obstacleTo(
  { clashes, serverBin }: RedisConfig,
  server: string | undefined,
): readonly [problem: string, remedy: string] | undefined {
  if (clashes.length > 0) {
    return [`misconfigured: ${clashes.join('; ')}`, 'Give each setting ports of its own'];
  }
  if (server === undefined) {
    return serverBin === undefined
      ? ['There is no redis-server on this machine', '"npm run setup" installs it, REDIS=off does without']
      : [`REDIS_SERVER_BIN=${serverBin} is not a program`, 'Name a Redis server, or set REDIS=off'];
  }
  const unreadable = unreadableConfig(NODES);
  return unreadable === undefined ? undefined : [`${unreadable}`, `${PUT_BACK}, REDIS=off does without`];
}

function unusable(error: unknown): Message {
  return inMemoryAlone(`Redis cannot be used (${(error as Error).message})`, 'Correct that, or set REDIS=off');
}

function inMemoryAlone(problem: string, remedy: string): Message {
  return { text: `${problem}: the cache is in memory alone. ${remedy}.`, isTrouble: true };
}

/** The ports of the nodes that an earlier supervisor left running, by index. */
function runningPorts(layout: FileLayout): Promise<readonly (number | undefined)[]> {
  return Promise.all(
    NUMBERS.map(async (number): Promise<number | undefined> => {
      const presence = await presenceOf(layout.redisNode(number).runFile);
      return presence.state === 'answers' ? endpointOf(presence.url).port : undefined;
    }),
  );
}

function endpointOf(url: string): RedisEndpoint {
  return { host: HOST, port: Number(new URL(url).port) };
}

/** A Redis server appends to its log for ever, but writes little. */
function putAsideLongLog(log: string): void {
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(log, `${log}.1`);
}

function reportMoved(wanted: readonly number[], ports: readonly number[], print: Print): void {
  const moved = ports.flatMap((port, index) =>
    port === wanted[index]
      ? []
      : [`Redis ${String(index + 1)} listens on ${String(port)}, not ${String(wanted[index])}`],
  );
  if (moved.length === 0) return;
  const text = `Other programs have ports of REDIS_CLUSTER_PORTS: ${moved.join(', ')}.`;
  print({ text, isTrouble: false });
}

function descriptionOf(
  program: string,
  number: number,
  node: RedisEndpoint,
  password: string,
  layout: FileLayout,
): ProcessDescription {
  const url = `redis://${node.host}:${String(node.port)}`;
  const { directory, log, runFile } = layout.redisNode(number);
  const probe: ReadinessProbe = async () =>
    (await answersPing(node, password)) ? { state: 'ready', url } : { state: 'silent' };
  const notedFile: RunFile = { ...runFile, url };
  return {
    ...{ name: `Redis ${String(number)} (${String(node.port)})`, program, log, probe, runFile: notedFile },
    args: serverArguments(layout.redisDirectory, number, node),
    environment: {},
    complaintIn: (output) => redisComplaintIn(output, number, node.port, configFile(number)),
    rows: (_url, state) => [[`Redis ${String(number)}`, `${state} in ${directory}`]],
  };
}

/** Why a Redis server with the configuration in `file` did not start; a killed one says nothing. */
export function redisComplaintIn(output: string, number: number, port: number, file: string): string | undefined {
  if (/Could not create server TCP listening socket|Failed listening on port/.test(output)) {
    return `port-taken: port ${String(port)} or ${String(port + 10_000)}, for Redis ${String(number)}, is in use by another program: stop that program, or set REDIS_CLUSTER_PORTS to free ports`;
  }
  const [fatal] = /(?:Unrecoverable|Fatal) error[^\n]*/.exec(output) ?? [];
  if (fatal?.includes('cluster config file') === true) {
    return `nodes.conf of Redis ${String(number)} is damaged: delete that file, it is made again`;
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

/**
 * Calls `form` after each time one of the nodes got ready, one call at a time. While something is missing, one look follows every
 * few seconds, also after `form` gave up. Says once what is missing.
 */
export function joining(
  form: (withinMs?: number) => Promise<string | undefined>,
  print: Print,
  pause: () => Promise<unknown> = () => delay(LOOK_AGAIN_AFTER_MS, undefined, { ref: false }),
): () => void {
  let isUnderWay = false;
  let isToBeRepeated = false;
  const join = async (): Promise<void> => {
    for (let isTold = false; ;) {
      const isFirst = isToBeRepeated;
      isToBeRepeated = false;
      const missing = await form(isFirst ? undefined : ONE_LOOK).catch(String);
      if (isToBeRepeated as boolean) continue;
      if (missing === undefined) break;
      if (!isTold) print({ text: incomplete(missing), isTrouble: true });
      isTold = true;
      await pause();
    }
    isUnderWay = false;
  };
  return () => {
    isToBeRepeated = true;
    if (isUnderWay) return;
    isUnderWay = true;
    void join();
  };
}

function incomplete(missing: string): string {
  return `The Redis Cluster is not whole: ${missing}. What is not cached there is read from the stores; "npm run redis:status" shows more.`;
}
