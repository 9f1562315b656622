import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { addCustomers } from '../large-store.js';
import { drive } from '../load.js';
import { type ServerProcess, startApp } from '../processes.js';
import { checkStored, storedRows } from '../stored.js';

const SMALL = 2;
const WARM_UP_SECONDS = 2;
const BODY = JSON.stringify({ name: 'Customer {n}', email: 'customer@example.org' });

/**
 * Posting makes both stores grow, so each turn begins with a new process on a store of the size in question: a copy of
 * the large one, or a new one with two customers. They are warmed up by PUTs on one customer, which take the way of a
 * POST through the journal and the store without making it larger.
 */
async function measure(bench: Bench): Promise<readonly Round[]> {
  const { largeStore } = bench;
  const directory = join(bench.directory, 'large-store-writes');
  const large = async (): Promise<number> => {
    await largeStore.copyTo(join(directory, 'large'));
    return turn(bench, await startApp(bench, join(directory, 'large')));
  };
  const small = async (): Promise<number> => {
    rmSync(join(directory, 'small'), { recursive: true, force: true });
    const app = await startApp(bench, join(directory, 'small'));
    await addCustomers(app, SMALL);
    return turn(bench, app);
  };
  return interleave(bench.rounds, large, small);
}

async function turn({ load, seconds }: Bench, app: ServerProcess): Promise<number> {
  const put = { method: 'PUT', body: BODY, firstNumber: 0 } as const;
  await drive(load, { url: `${app.url}/customers/1`, seconds: WARM_UP_SECONDS, write: put });
  let perSecond = 0;
  await checkStored(
    () => storedRows(app.url, '/customers'),
    async () => {
      const result = await drive(load, { url: `${app.url}/customers`, seconds, write: { ...put, method: 'POST' } });
      perSecond = result.perSecond;
      return result.answered;
    },
  );
  await app.kill();
  return perSecond;
}

export const LARGE_STORE_WRITES: readonly Figure[] = [
  {
    name: 'post-customer-large',
    title: 'POST /customers with 100,000 customers against with 2',
    unit: 'requests/s',
    better: 'higher',
    must: 0.9,
    aim: 1,
    measure,
  },
];
