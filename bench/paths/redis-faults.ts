import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { expect } from '../expect.js';
import type { Bench, Figure, Round } from '../figure.js';
import { CONNECTIONS } from '../load.js';
import { startApp } from '../processes.js';
import { RedisNodes } from '../redis-nodes.js';

/** So many pages that each shard has some. */
const PAGES = Array.from({ length: 60 }, (_, index) => `/books?limit=${index + 41}`);
const BOOKS = 100;
/** Longer than a takeover. */
const FAULT_SECONDS = 5;
const HITS_WITHIN_MS = 3_000;
const GIVE_UP_AFTER_MS = 60_000;

/** One page after the other on each of 50 connections. Resolves to the latencies in milliseconds, sorted. */
async function readPages(client: Pool, seconds: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1_000;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const path = PAGES[(next += 1) % PAGES.length] ?? '';
      const began = performance.now();
      const { statusCode, body } = await client.request({ method: 'GET', path });
      await body.dump();
      latencies.push(performance.now() - began);
      expect(statusCode === 200, `${path} was answered with ${statusCode} while a Redis node was away`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return latencies.toSorted((one, other) => one - other);
}

function p99(latencies: readonly number[]): number {
  return latencies[Math.floor(latencies.length * 0.99)] ?? NaN;
}

/** Resolves when every page comes from Redis. */
async function hits(client: Pool): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    let isHit = true;
    for (const path of PAGES) {
      const { headers, body } = await client.request({ method: 'GET', path });
      await body.dump();
      isHit &&= headers['x-cache'] === 'redis';
    }
    if (isHit) return;
    expect(performance.now() < giveUpAt, `not every page came from Redis within ${GIVE_UP_AFTER_MS / 1_000} s`);
  }
}

type Shard = Awaited<ReturnType<RedisNodes['shard']>>;
type Look = (nodes: RedisNodes, shard: Shard, client: Pool) => Promise<Round>;

/** Rounds on one app that looks for each list in Redis; the nodes are whole before each. */
async function withNodes(bench: Bench, look: Look): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'redis-faults');
  rmSync(directory, { recursive: true, force: true });
  const nodes = await RedisNodes.start(join(directory, 'redis'));
  try {
    const environment = { ...nodes.environment, SEED: 'off', CACHE_BYTES: '0' };
    const app = await startApp(bench, join(directory, 'app'), environment);
    const client = new Pool(app.url, { connections: CONNECTIONS, pipelining: 1 });
    try {
      await addBooks(client);
      const rounds: Round[] = [];
      for (let round = 0; round < bench.rounds; round += 1) {
        await hits(client);
        const shard = await nodes.shard();
        rounds.push(await look(nodes, shard, client));
        if (!nodes.runs(shard.master)) await nodes.startNode(shard.master);
        nodes.signal(shard.master, 'SIGCONT');
        await nodes.whole();
      }
      return rounds;
    } finally {
      await client.destroy();
      await app.kill();
    }
  } finally {
    nodes.close();
  }
}

export async function addBooks(client: Pool): Promise<void> {
  const body = JSON.stringify({ title: 'A Book of the Bench', author: 'Ursula K. Le Guin', price: 12.5, quantity: 3 });
  const headers = { 'content-type': 'application/json' };
  for (let number = 0; number < BOOKS; number += 1) {
    const { statusCode, body: answer } = await client.request({ method: 'POST', path: '/books', headers, body });
    await answer.dump();
    expect(statusCode === 201, `a book was answered with ${statusCode}`);
  }
}

function latenciesWhile(signal: 'SIGKILL' | 'SIGSTOP'): Look {
  return async (nodes, { master }, client) => {
    const baseline = p99(await readPages(client, FAULT_SECONDS));
    nodes.signal(master, signal);
    const app = p99(await readPages(client, FAULT_SECONDS));
    return { app, baseline, ratio: app / baseline };
  };
}

const hitsAfterTakeover: Look = async (nodes, { master, replica }, client) => {
  nodes.signal(master, 'SIGKILL');
  await nodes.takeover(replica);
  const began = performance.now();
  await hits(client);
  const app = performance.now() - began;
  return { app, baseline: HITS_WITHIN_MS, ratio: app / HITS_WITHIN_MS };
};

const base = { unit: 'ms', better: 'lower' } as const;

export const REDIS_FAULTS: readonly Figure[] = [
  {
    ...base,
    name: 'redis-killed',
    title: 'p99 of lists from Redis, a master killed, against all alive',
    must: 3,
    aim: 1.5,
    measure: (bench) => withNodes(bench, latenciesWhile('SIGKILL')),
  },
  {
    ...base,
    name: 'redis-held',
    title: 'p99 of lists from Redis, a master held by SIGSTOP, against all alive',
    must: 3,
    aim: 1.5,
    measure: (bench) => withNodes(bench, latenciesWhile('SIGSTOP')),
  },
  {
    ...base,
    name: 'redis-hits-again',
    title: 'from the takeover until all lists come from Redis, against 3 s',
    must: 1,
    aim: 0.5,
    measure: (bench) => withNodes(bench, hitsAfterTakeover),
  },
];
