import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import type { Collection } from '../support/audited-client.js';
import { ReaderProcess } from '../support/reader-process.js';
import { RecordedShop } from '../support/recorded-shop.js';
import { SeededRandom } from '../support/seeded-random.js';
import { race } from '../support/shop-race.js';
import { StaleProxy } from '../support/stale-proxy.js';

/** `npm run race` sets it: the race then lasts so many seconds, instead of so many writes. */
const { RACE_SECONDS } = process.env;
const WRITES = 1_200;
const CLIENTS = { size: 200, writers: 6, readers: 18 };
const TEST_TIMEOUT_MS = 300_000 + Number(RACE_SECONDS ?? 0) * 1_000;

describe('writers and readers that race for 200 resources', () => {
  let directory: string;
  let app: AppProcess;
  let reader: ReaderProcess;
  let shop: RecordedShop;

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory, { LOG_LEVEL: 'warn' });
    reader = await ReaderProcess.start(directory, { LOG_LEVEL: 'warn' });
  });

  afterEach(async () => {
    await shop.close();
    await reader.kill();
    await app.kill();
    removeDirectory(directory);
  });

  it.each<Collection>(['books', 'customers'])(
    '(%s of an app and a reader), read no version older than one that was acknowledged or seen before',
    async (collection) => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      shop = new RecordedShop(collection);
      const endMs = performance.now() + Number(RACE_SECONDS) * 1_000;
      await race({
        ...{ shop, random: new SeededRandom(seed), ...CLIENTS },
        ...{ writeTo: [app.url, reader.url], readFrom: [app.url, reader.url] },
        isOver: (writes) => (RACE_SECONDS === undefined ? writes >= WRITES : performance.now() >= endMs),
      });

      expect({ seed, violations: shop.violations() }).toEqual({ seed, violations: [] });
      expect(shop.unserved).toEqual({});
      expect(app.printed + reader.printed).toBe('');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'are caught reading old versions, when a cache in between forgets nothing for a while',
    async () => {
      shop = new RecordedShop('books');
      const proxy = await StaleProxy.inFrontOf(app.url);
      await race({
        ...{ shop, random: new SeededRandom(1), ...CLIENTS, writeTo: [app.url], readFrom: [app.url, proxy.url] },
        isOver: (writes) => writes >= WRITES / 10,
      });
      await proxy.close();

      expect(shop.violations()).toContainEqual(
        expect.stringMatching(/^books\/\d+: reader \d*[13579] .*, which is stale: /),
      );
      expect(shop.unserved).toEqual({});
    },
    TEST_TIMEOUT_MS,
  );
});
