import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { audit, AuditedClient } from '../support/audited-client.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { transactionsNotCarriedOut } from '../support/sql-file.js';
import { acknowledgedBy, auditAfterRestart, writeUntil } from '../support/shop-load.js';
import { TransactionShop } from '../support/transaction-shop.js';
import { TwoStoreHistory } from '../support/two-store-history.js';
import { storedSnapshot } from '../support/stored-snapshot.js';
import { rounds } from '../support/long-form.js';

const SETTINGS = { LOG_LEVEL: 'silent', SNAPSHOT_EVERY_BYTES: '20000' };
const CLIENTS = 50;
const ROUNDS = rounds(2, 5);
const ROUNDS_OF_BOTH = rounds(1, 2);
const WRITES_BEFORE = 200;
const TEST_TIMEOUT_MS = 120_000;

describe('a clean stop (SIGTERM) under load', () => {
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
    'answers everything that was done, exits with 0 and a snapshot, and has done nothing without an answer',
    async () => {
      const clients = Array.from({ length: CLIENTS }, (_, index) => {
        const collection = index % 2 === 0 ? 'books' : 'customers';
        return new AuditedClient(`client ${String(index)}`, collection, new SeededRandom(index));
      });
      for (let round = 1; round <= ROUNDS; round += 1) {
        app = await AppProcess.start(directory, SETTINGS);
        const shop = new ShopClient(app.url);
        const enough = acknowledgedBy(clients) + WRITES_BEFORE;
        let stopped: Promise<unknown> | undefined;
        await writeUntil(clients, shop, () => {
          if (acknowledgedBy(clients) >= enough) stopped ??= app.stop();
          return false;
        });

        expect(await stopped).toEqual({ code: 0, signal: null });
        await shop.close();
        expect(storedSnapshot(directory)).toBeDefined();
        expect(readdirSync(join(directory, 'documents')).filter((name) => name.endsWith('.log'))).toHaveLength(1);
        expect(existsSync(join(directory, 'bookstore.db-wal'))).toBe(false);

        app = await AppProcess.start(directory, SETTINGS);
        const again = new ShopClient(app.url);
        const unanswered = clients.flatMap(({ open, openReply }) => (open && !openReply ? [open.content] : []));
        const { books, customers } = await again.stored();
        const done = [...books.values(), ...customers.values()].filter((content) => unanswered.includes(content));
        await again.close();

        expect({ round, done, broken: audit(clients, { books, customers }) }).toEqual({ round, done: [], broken: [] });
        expect(await auditAfterRestart(app, clients, 2)).toEqual([]);
        await app.stop();
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a clean stop (SIGTERM) under writers to both stores', () => {
  it(
    'leaves no transaction undecided, not notified, or done without an answer',
    async () => {
      const history = await TwoStoreHistory.begin(1, { settings: { LOG_LEVEL: 'silent' } });
      try {
        for (let round = 1; round <= ROUNDS_OF_BOTH; round += 1) {
          await history.live();
          const shop = new TransactionShop(history.cluster.app.url);
          const enough = history.doneCount + WRITES_BEFORE;
          let stopped: Promise<unknown> | undefined;
          await history.load(history.cluster.app, shop, () => {
            if (history.doneCount >= enough) stopped ??= history.cluster.app.stop();
            return false;
          });
          await shop.close();

          expect(await stopped).toEqual({ code: 0, signal: null });
          expect(transactionsNotCarriedOut(history.sqlFile)).toEqual([]);
          await history.live();
          expect(await history.openAndDone()).toEqual([]);
          expect(await history.broken()).toEqual([]);
          await history.cluster.app.stop();
        }
      } finally {
        await history.end();
      }
    },
    TEST_TIMEOUT_MS,
  );
});
