import { existsSync, realpathSync, renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppConfig } from '../../config/index.js';
import {
  type FileLayout,
  presenceOf,
  processesWith,
  type ReadinessProbe,
  type RunFile,
  type RunNote,
} from '../../platform/nodes/index.js';
import {
  answersPing,
  configFile,
  directoryOf,
  ensurePassword,
  formCluster,
  freeNodePorts,
  lackIn,
  makeNodeDirectory,
  type OwnCluster,
  passwordFile,
  type RedisEndpoint,
  removeClusterNodes,
  restoreClusterFiles,
  serverArguments,
  writeClusterNodes,
} from '../../platform/redis/index.js';
import { type RestartPolicy, SPARE } from './managed-process-core.js';
import type { Message, ProcessDescription, ProcessKind } from './process-kind.js';
import { redisComplaintIn, serverFor, unusable } from './redis-obstacles.js';

const HOST = '127.0.0.1';
const NODES = 6;
const MAX_LOG_BYTES = 8 * 1024 * 1024;
const LOOK_AGAIN_AFTER_MS = 3_000;
/** No waiting for what is missing. */
const ONE_LOOK = 0;
const NUMBERS = Array.from({ length: NODES }, (_, index) => index + 1);

type Print = (message: Message) => void;

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
  isCache: true,
  runFiles: (layout) => NUMBERS.map((number) => layout.redisNode(number).runFile),
  withoutRunFile: unnotedNodes,
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
  const program = serverFor(config, NODES, print);
  const { redis } = config;
  if (!redis || program === undefined) return [];
  const running = await runningPorts(layout);
  const ports = await freeNodePorts(redis.ports, running, redis.reservedPorts);
  reportMoved(redis.ports, ports, print);
  const nodes = ports.map((port) => ({ host: HOST, port }));
  const cluster = { nodes, password: ensurePassword(layout.redisDirectory) };
  const onReady = joining((withinMs) => formCluster(nodes, cluster.password, { withinMs }), print);
  running.forEach((port, index) => port === undefined && putAsideLongLog(layout.redisNode(index + 1).log));
  return NUMBERS.map((number) => ({ ...descriptionOf(program, number, cluster, layout), onReady }));
}

/** The ports of the nodes that an earlier supervisor left running, by index. */
async function runningPorts(layout: FileLayout): Promise<readonly (number | undefined)[]> {
  const unnoted = unnotedNodes(layout);
  const looks = NUMBERS.map(async (number): Promise<number | undefined> => {
    const presence = await presenceOf(layout.redisNode(number).runFile);
    const note = presence.state === 'answers' ? presence : unnoted.find((each) => each.number === number);
    return note && endpointOf(note.url).port;
  });
  return Promise.all(looks);
}

/** The nodes that run in this directory, with or without a note: their command lines name its password file. */
function unnotedNodes({ redisDirectory }: FileLayout): readonly (RunNote & { readonly number: number })[] {
  return processesWith(['--include', passwordFile(redisDirectory)]).map(({ pid, commandLine }) => {
    const valueOf = (pattern: RegExp): string => pattern.exec(commandLine)?.[1] ?? '0';
    return {
      ...{ pid, number: Number(valueOf(/[\\/]node-(\d+) /)) },
      url: urlOf({ host: HOST, port: Number(valueOf(/ --port (\d+) /)) }),
    };
  });
}

function urlOf({ host, port }: RedisEndpoint): string {
  return `redis://${host}:${String(port)}`;
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

function descriptionOf(program: string, number: number, cluster: OwnCluster, layout: FileLayout): ProcessDescription {
  const { password } = cluster;
  const node = cluster.nodes[number - 1];
  if (node === undefined) throw new Error(`Redis ${String(number)} has no port`);
  const url = urlOf(node);
  const { directory, log, runFile } = layout.redisNode(number);
  const probe: ReadinessProbe = async () =>
    (await answersPing(node, password)) ? { state: 'ready', url } : { state: 'silent' };
  const notedFile: RunFile = { ...runFile, url };
  return {
    ...{ name: `Redis ${String(number)} (${String(node.port)})`, program, log, probe, runFile: notedFile },
    args: serverArguments(layout.redisDirectory, number, node),
    environment: {},
    ...filesOf(number, cluster, layout),
    isUsable: () => isUsable(node, password, directory),
    complaintIn: (output) =>
      existsSync(directory)
        ? redisComplaintIn(output, { number, port: node.port, directory, file: configFile(number) })
        : `${directory} was removed: it is made anew`,
    rows: (_url, state) => [[`Redis ${String(number)}`, `${state} in ${directory}`]],
  };
}

/** Whether the node works in the directory and takes the password. One that is held tells nothing, and is watched until it goes on. */
async function isUsable(node: RedisEndpoint, password: string, directory: string): Promise<boolean> {
  try {
    return (await directoryOf(node, password)) === realpathSync(directory);
  } catch (error) {
    return existsSync(directory) && lackIn(error) === undefined;
  }
}

/** A server whose directory is gone cannot note what it learns of the cluster, and ends as soon as it has to. */
function filesOf(
  number: number,
  cluster: OwnCluster,
  layout: FileLayout,
): Required<Pick<ProcessDescription, 'prepare' | 'keepFiles'>> {
  const { redisDirectory } = layout;
  const { directory } = layout.redisNode(number);
  const inodeOf = (): number | undefined => statSync(directory, { throwIfNoEntry: false })?.ino;
  let inode: number | undefined;
  return {
    prepare: () => {
      makeNodeDirectory(redisDirectory, number);
      restoreClusterFiles(redisDirectory, cluster);
      inode = inodeOf();
    },
    keepFiles: () => {
      try {
        const found = inodeOf();
        inode ??= found;
        if (found === undefined || found !== inode) return false;
        restoreClusterFiles(redisDirectory, cluster);
      } catch {
        // The disk is full, or permissions have changed. The next look may succeed.
      }
      return true;
    },
  };
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
