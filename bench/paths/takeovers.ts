import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { copyDirectory, LargeStore } from '../large-store.js';
import { startApp, startStandby } from '../processes.js';
import { answers } from '../readiness.js';
import { storedRows } from '../stored.js';

/** A takeover is short and its time scatters. */
const TAKEOVERS_PER_ROUND = 3;
const WARM_UPS = 1;
const ONE_SECOND = 1_000;

/** Milliseconds from `kill -9` of the active app to the first answer of its standby on the same port. */
async function takeOver(bench: Bench, directory: string, customers: number): Promise<number> {
  const active = await startApp(bench, directory);
  const standby = await startStandby(bench, directory, active.port);
  try {
    const startedAt = performance.now();
    await active.kill();
    await answers(active.port, '/customers?limit=1', () => standby.hasExited);
    const tookMs = performance.now() - startedAt;
    const stored = await storedRows(active.url, '/customers');
    expect(stored === customers, `${stored} of ${customers} customers after the takeover`);
    return tookMs;
  } finally {
    await standby.kill();
  }
}

interface Stores {
  readonly empty: () => Promise<number>;
  readonly large: () => Promise<number>;
}

async function storesOf(bench: Bench, name: string): Promise<Stores> {
  const directory = join(bench.directory, name);
  const empty = join(directory, 'empty');
  await (await startApp(bench, empty)).kill();
  const used = join(directory, 'used');
  return {
    empty: () => {
      copyDirectory(empty, used);
      return takeOver(bench, used, 0);
    },
    large: async () => {
      await bench.largeShop.copyTo(used);
      return takeOver(bench, used, LargeStore.CUSTOMERS);
    },
  };
}

async function measureAgainstEmpty(bench: Bench): Promise<readonly Round[]> {
  const { empty, large } = await storesOf(bench, 'takeover-large');
  await interleave(WARM_UPS, large, empty);
  return interleave(bench.rounds * TAKEOVERS_PER_ROUND, large, empty);
}

async function measureAgainstSecond(bench: Bench): Promise<readonly Round[]> {
  const { large } = await storesOf(bench, 'takeover');
  const second = (): Promise<number> => Promise.resolve(ONE_SECOND);
  await interleave(WARM_UPS, large, second);
  return interleave(bench.rounds * TAKEOVERS_PER_ROUND, large, second);
}

const base = { unit: 'ms', better: 'lower' } as const;

export const TAKEOVERS: readonly Figure[] = [
  {
    ...base,
    name: 'takeover-large',
    title: 'Take over with 100,000 books, customers and orders against empty stores',
    must: 1.4,
    aim: 1.2,
    measure: measureAgainstEmpty,
  },
  {
    ...base,
    name: 'takeover',
    title: 'Take over with 100,000 books, customers and orders against one second',
    must: 1,
    aim: 0.4,
    measure: measureAgainstSecond,
  },
];
