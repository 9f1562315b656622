import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RedisEndpoint } from './node-view.js';

/**
 * The directory of a cluster that runs on this machine holds the password as a file that each node includes, the addresses of
 * the nodes, and one directory per node.
 */

const PASSWORD_FILE = 'password.conf';
const NODES_FILE = 'cluster.json';
const CONFIG_DIRECTORY = 'cluster-config';
const FIRST_CONFIG_PORT = 7_000;
const PASSWORD_BYTES = 32;
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/** How to reach a cluster. */
export interface ClusterAccess {
  /** In the order of the nodes' numbers; at least one. */
  readonly nodes: readonly RedisEndpoint[];
  /** Undefined when the cluster asks for none. */
  readonly password: string | undefined;
}

export interface OwnCluster extends ClusterAccess {
  readonly password: string;
}

export interface ClusterLocation {
  /** Nodes of an existing cluster; empty for the cluster in `directory`. */
  readonly nodes: readonly RedisEndpoint[];
  readonly password?: string | undefined;
  readonly directory: string;
}

/** Undefined while no cluster has been started in `directory`. Throws an error that names a file which cannot be read. */
export function clusterAccess({ nodes, password, directory }: ClusterLocation): ClusterAccess | undefined {
  if (nodes.length > 0) return { nodes, password };
  const path = join(directory, NODES_FILE);
  const text = readText(path);
  const own = passwordIn(directory);
  if (text === undefined || own === undefined) return undefined;
  try {
    return { nodes: (JSON.parse(text) as Pick<ClusterAccess, 'nodes'>).nodes, password: own };
  } catch (error) {
    throw unreadable(path, 'it is damaged', error);
  }
}

/** Notes where the nodes of the cluster in `directory` listen. Readers see the whole note or none. */
export function writeClusterNodes(directory: string, nodes: readonly RedisEndpoint[]): void {
  replaceFile(join(directory, NODES_FILE), noteOf(nodes));
}

function noteOf(nodes: readonly RedisEndpoint[]): string {
  return `${JSON.stringify({ nodes })}\n`;
}

/** Notes that no cluster runs in `directory`. */
export function removeClusterNodes(directory: string): void {
  rmSync(join(directory, NODES_FILE), { force: true });
}

/** Returns the password of the cluster in `directory`, and makes one at the first call. */
export function ensurePassword(directory: string): string {
  const known = passwordIn(directory);
  if (known !== undefined) return known;
  const made = randomBytes(PASSWORD_BYTES).toString('hex');
  writePassword(directory, made);
  return made;
}

function writePassword(directory: string, password: string): void {
  mkdirSync(directory, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
  const title = '# The password of the Redis Cluster, made at its first start.';
  const lines = [title, `requirepass ${password}`, `masterauth ${password}`];
  replaceFile(passwordFile(directory), `${lines.join('\n')}\n`);
}

/** Writes again what is missing or another one in `directory`: the password and the addresses of the nodes that run there. */
export function restoreClusterFiles(directory: string, { nodes, password }: OwnCluster): void {
  if (passwordIn(directory) !== password) writePassword(directory, password);
  if (readText(join(directory, NODES_FILE)) !== noteOf(nodes)) writeClusterNodes(directory, nodes);
}

/** The file that the command line of each server of the cluster in `directory` names. */
export function passwordFile(directory: string): string {
  return join(directory, PASSWORD_FILE);
}

export function nodeDirectory(directory: string, number: number): string {
  return join(directory, `node-${String(number)}`);
}

/** Makes the directory of node `number`. */
export function makeNodeDirectory(directory: string, number: number): void {
  mkdirSync(nodeDirectory(directory, number), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
}

/**
 * The arguments of a Redis server that is node `number`, counted from 1, in the directory that `makeNodeDirectory` makes. The
 * process keeps its command line, by which it is found when its files are gone.
 */
export function serverArguments(directory: string, number: number, { host, port }: RedisEndpoint): readonly string[] {
  return [
    configFile(number),
    ...['--include', passwordFile(directory), '--dir', nodeDirectory(directory, number)],
    ...['--bind', host, '--port', String(port), '--cluster-enabled', 'yes'],
    ...['--daemonize', 'no', '--set-proc-title', 'no'],
  ];
}

/** The configuration of node `number`, in the folder of the project. */
export function configFile(number: number): string {
  return join(configDirectory(), String(FIRST_CONFIG_PORT + number - 1), 'redis.conf');
}

/** Why the configuration of the nodes 1 to `count` cannot be read, with the name of each file; undefined when it can. */
export function unreadableConfig(count: number): string | undefined {
  if (!existsSync(configDirectory())) return `${configDirectory()} is missing`;
  const failures = Array.from({ length: count }, (_, index) => failureToRead(configFile(index + 1)));
  return failures.filter((failure) => failure !== undefined).join('; ') || undefined;
}

function failureToRead(path: string): string | undefined {
  try {
    return readText(path) === undefined ? `${path} is missing` : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function configDirectory(): string {
  return join(projectAbove(dirname(fileURLToPath(import.meta.url))), CONFIG_DIRECTORY);
}

function projectAbove(directory: string): string {
  const above = dirname(directory);
  return above === directory || existsSync(join(directory, 'package.json')) ? directory : projectAbove(above);
}

function passwordIn(directory: string): string | undefined {
  return /^requirepass (\S+)$/m.exec(readText(passwordFile(directory)) ?? '')?.[1];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(path, code, error);
  }
}

function unreadable(path: string, why: string, cause: unknown): Error {
  return new Error(`${path} cannot be read (${why})`, { cause });
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text, { mode: OWNER_ONLY });
  renameSync(`${path}.tmp`, path);
}
