import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { drive, type LoadGenerator } from '../load.js';
import { startApp, startBaseline } from '../processes.js';
import { checkStored, storedRecords, storedRows } from '../stored.js';

const RECORD_BYTES = 200;
const WARM_UP_SECONDS = 2;

const BODIES = {
  '/books': JSON.stringify({ title: 'Book {n}', author: 'Ursula K. Le Guin', price: 12.5, quantity: 7 }),
  '/customers': JSON.stringify({ name: 'Customer {n}', email: 'customer@example.org' }),
};

/** Both servers get the same bodies. The app's store grows over the rounds, as the baseline's file does. */
async function measure(bench: Bench, list: keyof typeof BODIES): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'writes');
  const appDirectory = join(directory, 'app');
  const file = join(directory, 'append.dat');
  rmSync(directory, { recursive: true, force: true });
  let app = await startApp(bench, appDirectory);
  const append = await startBaseline(bench, 'append', join(directory, 'append'), { FILE: file });
  try {
    const posting = poster(bench.load, BODIES[list]);
    const countRows = (): Promise<number> => storedRows(app.url, list);
    const loadApp = (seconds = bench.seconds): Promise<number> => posting(`${app.url}${list}`, countRows, seconds);
    const countRecords = (): number => storedRecords(file, RECORD_BYTES);
    const loadAppend = (seconds = bench.seconds): Promise<number> =>
      posting(`${append.url}/append`, countRecords, seconds);
    await loadApp(WARM_UP_SECONDS);
    await loadAppend(WARM_UP_SECONDS);
    const rounds = await interleave(bench.rounds, loadApp, loadAppend);

    const rows = await countRows();
    await app.kill();
    app = await startApp(bench, appDirectory);
    const kept = await countRows();
    expect(kept === rows, `${rows} rows of ${list} before kill -9, ${kept} after it`);
    return rounds;
  } finally {
    await app.kill();
    await append.kill();
  }
}

/** Loads with bodies that were never sent before, checks what is stored, resolves to the rate. */
function poster(
  generator: LoadGenerator,
  body: string,
): (url: string, count: () => number | Promise<number>, seconds: number) => Promise<number> {
  let firstNumber = 0;
  return async (url, count, seconds) => {
    let perSecond = 0;
    firstNumber += 10_000_000;
    await checkStored(count, async () => {
      const result = await drive(generator, { url, seconds, write: { method: 'POST', body, firstNumber } });
      perSecond = result.perSecond;
      return result.answered;
    });
    return perSecond;
  };
}

const base = { unit: 'requests/s', better: 'higher', must: 0.35 } as const;

export const WRITES: readonly Figure[] = [
  {
    ...base,
    name: 'post-book',
    title: 'POST /books, fsynced, against a bare Fastify group commit',
    aim: 0.5,
    measure: (bench) => measure(bench, '/books'),
  },
  {
    ...base,
    name: 'post-customer',
    title: 'POST /customers, fsynced, against a bare Fastify group commit',
    aim: 0.55,
    measure: (bench) => measure(bench, '/customers'),
  },
];
