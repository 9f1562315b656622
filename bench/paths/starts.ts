import { join } from 'node:path';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { copyDirectory, LargeStore } from '../large-store.js';
import { startApp, startBaseline } from '../processes.js';
import { storedRows } from '../stored.js';

/** A start is short and its time scatters. */
const STARTS_PER_ROUND = 3;
/** Files and code pages are read from the disk only the first time. */
const WARM_UPS = 2;

/** The empty store is like the large one but for the customers: opened before and then killed. */
async function measureOpening(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'opening');
  const empty = join(directory, 'empty');
  await (await startApp(bench, empty)).kill();
  const opened = join(directory, 'opened');
  const open = async (customers: number): Promise<number> => {
    const app = await startApp(bench, opened);
    const stored = await storedRows(app.url, '/customers');
    expect(stored === customers, `${stored} of ${customers} customers after kill -9`);
    await app.kill();
    return app.readyAfterMs;
  };
  const large = async (): Promise<number> => {
    await bench.largeStore.copyTo(opened);
    return open(LargeStore.CUSTOMERS);
  };
  const small = async (): Promise<number> => {
    copyDirectory(empty, opened);
    return open(0);
  };
  return starts(bench, large, small);
}

async function measureStart(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'start');
  const app = async (): Promise<number> => {
    const started = await startApp(bench, join(directory, 'app'), {});
    expect((await storedRows(started.url, '/books')) === 2, 'the seeded books are not there');
    await started.stop();
    return started.readyAfterMs;
  };
  const bare = async (): Promise<number> => {
    const started = await startBaseline(bench, 'bare-process', join(directory, 'bare'));
    await started.kill();
    return started.readyAfterMs;
  };
  return starts(bench, app, bare);
}

async function starts(
  { rounds }: Bench,
  app: () => Promise<number>,
  baseline: () => Promise<number>,
): Promise<readonly Round[]> {
  await interleave(WARM_UPS, app, baseline);
  return interleave(rounds * STARTS_PER_ROUND, app, baseline);
}

const base = { unit: 'ms', better: 'lower' } as const;

export const STARTS: readonly Figure[] = [
  {
    ...base,
    name: 'open-large',
    title: 'Open 100,000 customers after kill -9 against an empty store',
    must: 1.6,
    aim: 1.4,
    measure: measureOpening,
  },
  {
    ...base,
    name: 'start',
    title: 'Start to ready against a bare node:http process',
    must: 8,
    aim: 5,
    measure: measureStart,
  },
];
