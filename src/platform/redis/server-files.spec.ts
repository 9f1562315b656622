import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  clusterAccess,
  configFile,
  ensurePassword,
  removeClusterNodes,
  serverArguments,
  unreadableConfig,
  writeClusterNodes,
} from './server-files.js';

const HOST = '127.0.0.1';
const configOf = (number: number): string =>
  readFileSync(`cluster-config/${String(6_999 + number)}/redis.conf`, 'utf8');

describe('the configuration of the Redis nodes', () => {
  it.each([
    ['bind 127.0.0.1', 'only this machine reaches them'],
    ['maxmemory-policy allkeys-lru', 'a full node drops what was used least recently'],
    ['cluster-node-timeout 1000', 'a replica takes over in about 2 s'],
    ['cluster-require-full-coverage no', 'a lost shard does not stop the others'],
    ['repl-diskless-sync-delay 0', 'a node that rejoins can take over at once'],
    ['save ""', 'nothing of the cache is on disk'],
    ['appendonly no', 'nothing of the cache is on disk'],
    ['shutdown-timeout 0', 'a stop waits for no replica'],
  ])('says %s: %s', (line) => {
    expect(configOf(1).split('\n')).toContain(line);
  });

  it('refuses no write for lack of replicas, and holds no password', () => {
    expect(configOf(1)).toMatch(/^maxmemory \d+mb$/m);
    expect(configOf(1)).not.toMatch(/min-replicas-to-write|requirepass|masterauth/);
  });

  it('is there for six nodes, and each file that is missing is named', () => {
    expect(unreadableConfig(6)).toBeUndefined();
    expect(unreadableConfig(8)).toBe([7, 8].map((number) => `${configFile(number)} is missing`).join('; '));
    expect(configFile(7)).toBe(resolve('cluster-config/7006/redis.conf'));
  });

  it.each([2, 3, 4, 5, 6])('is the same for node %i, but for number and port', (number) => {
    const ofFirst = configOf(1).replace('# Node 1 ', `# Node ${String(number)} `);

    expect(configOf(number)).toBe(ofFirst.replace('port 7000', `port ${String(6_999 + number)}`));
  });
});

describe('the directory of a Redis Cluster', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bifolio redis-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const nodes = [{ host: HOST, port: 7000 }];

  it('tells others nodes and password while a cluster runs there', () => {
    expect(clusterAccess({ nodes: [], directory })).toBeUndefined();

    const password = ensurePassword(directory);
    writeClusterNodes(directory, nodes);
    expect(clusterAccess({ nodes: [], directory })).toEqual({ nodes, password });

    removeClusterNodes(directory);
    expect(clusterAccess({ nodes: [], directory })).toBeUndefined();
  });

  it('given a damaged note of the nodes, names it', () => {
    ensurePassword(directory);
    writeFileSync(join(directory, 'cluster.json'), '{');

    expect(() => clusterAccess({ nodes: [], directory })).toThrow(/cluster\.json cannot be read \(it is damaged\)$/);
  });

  it('does not matter when the settings name an existing cluster', () => {
    ensurePassword(directory);
    writeClusterNodes(directory, nodes);
    const given = { nodes: [{ host: 'redis.example', port: 6379 }], password: undefined };

    expect(clusterAccess({ ...given, directory })).toEqual(given);
  });

  it('gives each server its own folder and the configuration of its number', () => {
    const args = serverArguments(directory, 6, { host: HOST, port: 7106 });

    expect(args[0]).toMatch(/cluster-config\/7005\/redis\.conf$/);
    expect(args.slice(1)).toEqual([
      ...['--include', join(directory, 'password.conf'), '--dir', join(directory, 'node-6')],
      ...['--bind', HOST, '--port', '7106', '--cluster-enabled', 'yes', '--daemonize', 'no', '--set-proc-title', 'no'],
    ]);
  });
});
