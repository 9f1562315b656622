import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { AuditedClient } from '../support/audited-client.js';
import { rounds } from '../support/long-form.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy, auditAfterRestart, writeUntil } from '../support/shop-load.js';
import { storedSnapshot } from '../support/stored-snapshot.js';

const CLIENTS = 50;
const ROUNDS = rounds(6, 20);
const MAX_WRITES_IN_A_ROUND = 400;
const REPLAYS_PER_CLIENT = 2;
/** Small, so that kills also meet snapshots and new segments. */
const ENVIRONMENT = { SNAPSHOT_EVERY_BYTES: '40000', LOG_LEVEL: 'silent' };
const TEST_TIMEOUT_MS = 600_000;

describe('kill -9 of the app under 50 concurrent writers', () => {
  let directory: string;
  let app: AppProcess;

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  it(
    `${String(ROUNDS)} times on the same data: no acknowledged write is lost, none is there twice, and every key has one effect and one answer`,
    async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = new SeededRandom(seed);
      const clients = Array.from(
        { length: CLIENTS },
        (_, index) =>
          new AuditedClient(
            `c${String(index)}`,
            index % 2 === 0 ? 'books' : 'customers',
            new SeededRandom(seed + index),
          ),
      );
      app = await AppProcess.start(directory, ENVIRONMENT);
      let leftOpen = 0;
      for (let round = 1; round <= ROUNDS; round += 1) {
        const shop = new ShopClient(app.url);
        const enough = acknowledgedBy(clients) + 1 + random.below(MAX_WRITES_IN_A_ROUND);
        let killed: Promise<unknown> | undefined;
        await writeUntil(clients, shop, () => {
          if (acknowledgedBy(clients) >= enough) killed ??= app.kill();
          return false;
        });
        await killed;
        await shop.close();
        leftOpen += clients.filter(({ open }) => open !== undefined).length;

        app = await AppProcess.start(directory, ENVIRONMENT);
        const broken = await auditAfterRestart(app, clients, REPLAYS_PER_CLIENT);

        expect({ seed, round, broken }).toEqual({ seed, round, broken: [] });
      }
      expect(storedSnapshot(directory)).toBeDefined();
      expect(leftOpen).toBeGreaterThan(0);
      expect(acknowledgedBy(clients)).toBeGreaterThan(ROUNDS * CLIENTS);
    },
    TEST_TIMEOUT_MS,
  );
});
