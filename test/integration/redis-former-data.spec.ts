import { expect, it } from '@jest/globals';
import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { describeOnRedis } from '../support/redis-cluster.js';
import { redisSettings } from '../support/redis-shop.js';

const BOOKS = 20;
const PAGES = Array.from({ length: BOOKS }, (_, index) => `/books?limit=${String(index + 1)}`);
const WITHIN_MS = 60_000;

interface Book {
  readonly id: number;
  readonly title: string;
}

describeOnRedis('with lists of former data still in Redis', (redis) => {
  /** Runs the app on the data, with every list looked for in Redis. */
  const live = async <T>(data: string, task: (url: string) => Promise<T>): Promise<T> => {
    const app = await AppProcess.start(data, redisSettings(redis()));
    try {
      const result = await task(app.url);
      expect(app.printed).toBe('');
      return result;
    } finally {
      await app.kill();
    }
  };

  const write = async (url: string, method: 'POST' | 'PUT', title: string): Promise<void> => {
    for (let id = 1; id <= BOOKS; id += 1) {
      const response = await fetch(`${url}/books${method === 'PUT' ? `/${String(id)}` : ''}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ title, author: 'author', price: 1, quantity: 1 }),
      });
      expect(response.status).toBe(method === 'PUT' ? 200 : 201);
    }
  };

  /** Every page, first as it is found and then until Redis has it. All its books must have this title. */
  const expectPages = async (url: string, title: string): Promise<void> => {
    const read = async (path: string): Promise<string | null> => {
      const response = await fetch(`${url}${path}`);
      const titles = ((await response.json()) as Book[]).map((book) => book.title);
      expect([path, new Set(titles)]).toEqual([path, new Set([title])]);
      return response.headers.get('x-cache');
    };
    for (const path of PAGES) expect([path, await read(path)]).toEqual([path, 'miss']);
    for (const path of PAGES) {
      await eventually(
        async () => {
          expect(await read(path)).toBe('redis');
        },
        { withinMs: WITHIN_MS },
      );
    }
  };

  /** Of all lists, of whatever data. */
  const keysInRedis = async (): Promise<readonly string[]> => {
    const masters = await Promise.all([0, 8_191, 16_383].map((slot) => redis().masterOfSlot(slot)));
    const keys = await Promise.all(masters.map((master) => redis().on(master, (node) => node.keys('*after=*'))));
    return keys.flat();
  };

  /** Lists that were there when the data was lost, and are still there. */
  const expectFull = async (former: readonly string[]): Promise<void> => {
    expect(former.length).toBeGreaterThanOrEqual(PAGES.length);
    expect(await keysInRedis()).toEqual(expect.arrayContaining([...former]));
  };

  it('the data is removed and written anew: no former list is a hit', async () => {
    const directory = temporaryDirectory();
    let former: readonly string[] = [];
    try {
      for (const title of ['former', 'new']) {
        const data = join(directory, 'data');
        removeDirectory(data);
        await live(data, async (url) => {
          await write(url, 'POST', title);
          await expectPages(url, title);
        });
        if (title === 'former') former = await keysInRedis();
      }
      await expectFull(former);
    } finally {
      removeDirectory(directory);
    }
  });

  it('an older copy of the data is put back, and as many writes are made again: no former list is a hit', async () => {
    const directory = temporaryDirectory();
    const [data, copy] = [join(directory, 'data'), join(directory, 'copy')];
    try {
      await live(data, (url) => write(url, 'POST', 'first'));
      cpSync(data, copy, { recursive: true });
      await live(data, async (url) => {
        await write(url, 'PUT', 'former');
        await expectPages(url, 'former');
      });
      const former = await keysInRedis();
      removeDirectory(data);
      renameSync(copy, data);
      await live(data, async (url) => {
        await expectPages(url, 'first');
        await expectFull(former);
        await write(url, 'PUT', 'second');
        await expectPages(url, 'second');
      });
    } finally {
      removeDirectory(directory);
    }
  });
});
