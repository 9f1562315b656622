import { dirname, join } from 'node:path';
import { Pool } from 'undici';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { LargeStore } from '../large-store.js';
import { drive } from '../load.js';
import { MixedLoad } from '../mixed-load.js';
import { ServerProcess, startApp } from '../processes.js';
import { answers, freePort } from '../readiness.js';
import { addBooks } from './redis-faults.js';

const LIST = '/books?limit=100';
const CUSTOMER = JSON.stringify({ name: 'Customer {n}', email: 'customer@example.org' });
const WARM_UP_SECONDS = 2;
const REQUESTS_PER_SECOND = 300;
const KILLS = 5;
const BETWEEN_KILLS_MS = 10_000;
const SLOWEST_MS = 3_000;
const TAKEOVER_MS = 1_000;

function startGateway(bench: Bench, directory: string, dataDirectory: string, port: number): Promise<ServerProcess> {
  return ServerProcess.start({
    program: join(dirname(bench.program), 'gateway.mjs'),
    directory,
    environment: { DATA_DIR: dataDirectory, GATEWAY_PORT: String(port), REPLICA_PORTS: '' },
    readyAt: '/health/ready',
    port,
  });
}

/** The same load through the gateway and on the app itself. */
async function measureRate(bench: Bench, kind: 'list' | 'customer'): Promise<readonly Round[]> {
  const directory = join(bench.directory, `gateway-${kind}`);
  const app = await startApp(bench, join(directory, 'app'));
  const client = new Pool(app.url);
  await addBooks(client);
  await client.destroy();
  const gateway = await startGateway(
    bench,
    join(directory, 'gateway'),
    join(directory, 'app', 'data'),
    await freePort(),
  );
  let firstNumber = 0;
  const load = async ({ url }: ServerProcess, seconds = bench.seconds): Promise<number> => {
    firstNumber += 10_000_000;
    const write = { method: 'POST', body: CUSTOMER, firstNumber } as const;
    const asked = kind === 'list' ? { url: `${url}${LIST}`, seconds } : { url: `${url}/customers`, seconds, write };
    return (await drive(bench.load, asked)).perSecond;
  };
  try {
    await load(app, WARM_UP_SECONDS);
    await load(gateway, WARM_UP_SECONDS);
    return await interleave(
      bench.rounds,
      () => load(gateway),
      () => load(app),
    );
  } finally {
    await gateway.kill();
    await app.kill();
  }
}

interface Killed {
  /** The slowest answer to a request that was sent between this kill and the next one. */
  readonly slowestMs: number;
  /** From the kill to the first answer of the next active. */
  readonly takeoverMs: number;
}

/**
 * A fixed number of requests per second through the gateway, whatever the answers take, while the active app is killed five times.
 * Rejects when an answer is an error, a write is missing or there twice.
 */
async function measureKills(bench: Bench, name: string): Promise<readonly Killed[]> {
  const directory = join(bench.directory, name);
  const dataDirectory = join(directory, 'data');
  await bench.largeShop.copyTo(directory);
  const port = await freePort();
  const startOne = async (number: number): Promise<ServerProcess> => {
    const standbyPort = await freePort();
    const isFirst = number === 0;
    return ServerProcess.start({
      program: bench.program,
      args: ['--standby'],
      directory: join(directory, `app-${String(number)}`),
      environment: {
        DATA_DIR: dataDirectory,
        REPLICA_PORTS: '',
        PORT: String(port),
        STANDBY_PORT: String(standbyPort),
      },
      readyAt: '/health/ready',
      port: isFirst ? port : standbyPort,
    });
  };
  let active = await startOne(0);
  let standby = await startOne(1);
  const gateway = await startGateway(bench, join(directory, 'gateway'), dataDirectory, await freePort());
  const load = new MixedLoad(gateway.url, LargeStore.CUSTOMERS);
  const killed: Killed[] = [];
  try {
    const running = load.run(REQUESTS_PER_SECOND, (KILLS + 1) * BETWEEN_KILLS_MS);
    for (let number = 1; number <= KILLS; number += 1) {
      await load.at(number * BETWEEN_KILLS_MS);
      load.slowestMs = 0;
      const began = performance.now();
      await active.kill();
      await answers(port, '/books?limit=1', () => false);
      const takeoverMs = performance.now() - began;
      active = standby;
      standby = await startOne(number + 1);
      await load.at((number + 1) * BETWEEN_KILLS_MS - 1);
      killed.push({ slowestMs: load.slowestMs, takeoverMs });
    }
    await running;
    const { failures } = load;
    expect(failures.length === 0, `${String(failures.length)} requests failed: ${failures.slice(0, 5).join('; ')}`);
    const wrong = await load.audit();
    expect(wrong.length === 0, `${String(wrong.length)} writes are wrong: ${wrong.slice(0, 5).join('; ')}`);
    return killed;
  } finally {
    await load.close();
    await gateway.kill();
    await standby.kill();
    await active.kill();
  }
}

const against = (baseline: number, value: number): Round => ({ app: value, baseline, ratio: value / baseline });

export const GATEWAY: readonly Figure[] = [
  {
    name: 'gateway-books',
    title: 'GET /books (100 books) through the gateway, against the app itself',
    ...({ unit: 'requests/s', better: 'higher', must: 0.25, aim: 0.35 } as const),
    measure: (bench) => measureRate(bench, 'list'),
  },
  {
    name: 'gateway-customer',
    title: 'POST /customers through the gateway, against the app itself',
    ...({ unit: 'requests/s', better: 'higher', must: 0.5, aim: 0.7 } as const),
    measure: (bench) => measureRate(bench, 'customer'),
  },
  {
    name: 'failover-slowest',
    title: 'slowest answer of 300 mixed requests/s through the gateway, active killed five times, against 3 s',
    ...({ unit: 'ms', better: 'lower', must: 1, aim: 0.5 } as const),
    measure: async (bench) =>
      (await measureKills(bench, 'failover-slowest')).map(({ slowestMs }) => against(SLOWEST_MS, slowestMs)),
  },
  {
    name: 'failover-takeover',
    title: 'death of the active to the first answer of the next one, 100,000 books, customers and orders, against 1 s',
    ...({ unit: 'ms', better: 'lower', must: 1, aim: 0.4 } as const),
    measure: async (bench) =>
      (await measureKills(bench, 'failover-takeover')).map(({ takeoverMs }) => against(TAKEOVER_MS, takeoverMs)),
  },
];
