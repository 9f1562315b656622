import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReaderProcess } from '../support/reader-process.js';
import { describeOnRedis } from '../support/redis-cluster.js';

const READERS = 1_000;
/** Without leases, one crowd in three makes one read by chance (measured), so it takes several in a row. */
const CROWDS = 8;
const PATH = '/books?limit=100';
const LIST = 'after=0&limit=100';
const DATABASE_READS = /^bifolio_cache_reads_total\{tier="database",result="hit"\} (\d+)$/m;
const WITHIN = { withinMs: 60_000 };

describeOnRedis('an app and a reader, with 1,000 readers at once of a list that no tier holds', (redis) => {
  let directory: string;
  let app: AppProcess;
  let reader: ReaderProcess;

  beforeAll(async () => {
    directory = temporaryDirectory();
    const data = join(directory, 'data');
    mkdirSync(data);
    const settings = {
      ...{ REDIS_CLUSTER_NODES: redis().addresses, REDIS_PASSWORD: redis().password, LOG_LEVEL: 'error' },
    };
    app = await AppProcess.start(data, { ...settings, SEED: 'on' });
    reader = await ReaderProcess.start(data, settings);
    for (const { url } of [app, reader]) {
      await eventually(async () => expect(await textOf(`${url}/health/ready`)).toContain('"available"'), WITHIN);
    }
  });

  afterAll(async () => {
    await reader.kill();
    await app.kill();
    removeDirectory(directory);
  });

  async function textOf(url: string, init?: RequestInit): Promise<string> {
    const answer = await fetch(url, init);
    expect([200, 201]).toContain(answer.status);
    return answer.text();
  }

  async function databaseReads(): Promise<number> {
    const texts = await Promise.all([app, reader].map(({ url }) => textOf(`${url}/metrics`)));
    return texts.reduce((sum, text) => sum + Number(DATABASE_READS.exec(text)?.[1] ?? NaN), 0);
  }

  /** From now on, no tier holds a list. */
  async function write(): Promise<void> {
    const body = JSON.stringify({ title: 'Kindred', author: 'Octavia E. Butler', price: 1, quantity: 1 });
    await textOf(`${app.url}/books`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }

  /** The reads of the database for one crowd. All its readers get one answer. */
  async function crowd(): Promise<number> {
    const before = await databaseReads();
    const urls = Array.from({ length: READERS }, (_, number) => (number % 2 === 0 ? app.url : reader.url) + PATH);
    const answers = await Promise.all(urls.map((url) => textOf(url)));
    expect(new Set(answers).size).toBe(1);
    return (await databaseReads()) - before;
  }

  async function keysOf(list: string): Promise<readonly string[]> {
    const masters = await Promise.all([0, 8_191, 16_383].map((slot) => redis().masterOfSlot(slot)));
    const keys = await Promise.all(masters.map((master) => redis().on(master, (node) => node.keys('*:books:*'))));
    return keys.flat().filter((key) => key.endsWith(`:${list}`));
  }

  it('makes one read of the database', async () => {
    // A process that this machine holds up for longer than MAX_WAIT_MS reads by itself, once.
    await eventually(async () => {
      for (let crowds = 0; crowds < CROWDS; crowds += 1) {
        await write();
        expect(await crowd()).toBe(1);
      }
    }, WITHIN);
  });

  it('whose lease belongs to a process that died, makes no more than one read in each process', async () => {
    await crowd();
    let key = '';
    await eventually(async () => expect(([key = ''] = await keysOf(LIST))).toHaveLength(1), WITHIN);
    const [generation = ''] = /\d+(?=:after)/.exec(key) ?? [];
    const next = key.replace(`:${generation}:after`, `:${String(Number(generation) + 1)}:after`);
    await redis().on(await redis().masterOf(next), (node) => node.set(`{${next}}:lease`, 'dead', 'PX', 60_000));
    await write();

    expect([1, 2]).toContain(await crowd());
    await eventually(async () => expect(await keysOf(LIST)).toEqual([next]), WITHIN);
  });
});
