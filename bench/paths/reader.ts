import { dirname, join } from 'node:path';
import { Pool } from 'undici';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { CONNECTIONS, drive } from '../load.js';
import { ServerProcess, startApp } from '../processes.js';
import { addBooks } from './redis-faults.js';

const LIST = '/books?limit=100';
const WARM_UP_SECONDS = 2;

/** The same load on the app alone, and with half of the connections on a reader of the same data. */
async function measure(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'reader');
  const app = await startApp(bench, join(directory, 'app'));
  const client = new Pool(app.url);
  await addBooks(client);
  await client.destroy();
  const reader = await ServerProcess.start({
    program: join(dirname(bench.program), 'reader.mjs'),
    directory: join(directory, 'reader'),
    environment: { DATA_DIR: join(directory, 'app', 'data'), REPLICA_PORTS: '' },
    readyAt: '/health/ready',
  });
  try {
    const load = async (urls: readonly string[], seconds: number): Promise<number> => {
      const connections = CONNECTIONS / urls.length;
      const results = await Promise.all(
        urls.map((url) => drive(bench.load, { url: `${url}${LIST}`, seconds, connections })),
      );
      return results.reduce((sum, { perSecond }) => sum + perSecond, 0);
    };
    await load([app.url, reader.url], WARM_UP_SECONDS);
    return await interleave(
      bench.rounds,
      () => load([app.url, reader.url], bench.seconds),
      () => load([app.url], bench.seconds),
    );
  } finally {
    await reader.kill();
    await app.kill();
  }
}

export const READER: readonly Figure[] = [
  {
    name: 'books-reader',
    title: 'GET /books (100 books) from the app and a reader, against the app alone',
    ...({ unit: 'requests/s', better: 'higher' } as const),
    // On two cores, of which the load takes a part, this is printed and asks for nothing.
    must: 0,
    aim: 1,
    measure,
  },
];
