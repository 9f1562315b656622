import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import type { Collection } from '../support/audited-client.js';
import { RecordedShop } from '../support/recorded-shop.js';
import { SeededRandom } from '../support/seeded-random.js';
import { race } from '../support/shop-race.js';

/** `npm run race` sets it: the race then lasts so many seconds, instead of so many writes. */
const { RACE_SECONDS } = process.env;
const WRITES = 3_000;
const SIZE = 200;
const CLIENTS = { writers: 6, readers: 18 };
const TEST_TIMEOUT_MS = 300_000 + Number(RACE_SECONDS ?? 0) * 1_000;

describe('writers and readers that race for 200 resources', () => {
  let directory: string;
  let app: AppProcess;
  let shop: RecordedShop;

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory, { LOG_LEVEL: 'warn' });
  });

  afterEach(async () => {
    await shop.close();
    await app.kill();
    removeDirectory(directory);
  });

  it.each<Collection>(['books', 'customers'])(
    '(%s of one app), read no version older than one that was acknowledged or seen before',
    async (collection) => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      shop = new RecordedShop(collection);
      const endMs = performance.now() + Number(RACE_SECONDS) * 1_000;
      await race({
        ...{ shop, random: new SeededRandom(seed), size: SIZE, ...CLIENTS },
        ...{ writeTo: [app.url], readFrom: [app.url] },
        isOver: (writes) => (RACE_SECONDS === undefined ? writes >= WRITES : performance.now() >= endMs),
      });
      expect({ seed, violations: shop.violations() }).toEqual({ seed, violations: [] });
      expect(shop.unserved).toEqual({});
      expect(app.printed).toBe('');
    },
    TEST_TIMEOUT_MS,
  );
});
