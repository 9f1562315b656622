import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ShopClients } from '../support/shop-clients.js';

/** A saga without a client's key is kept for ten minutes, one with a key for a day. */
const MINUTES_AHEAD = 11;
const WITHIN_MS = 300_000;
const PRUNED_WITHIN_MS = 60_000;
/** In the order in which they forget: the file of orders, which begins the sagas, first. */
const FILES = ['orders', 'bookstore', 'payment'] as const;

interface Held {
  readonly point: number;
  /** The numbers of the sagas of which the file has step rows. */
  readonly sagas: readonly number[];
}

const NONE: Held = { point: 4, sagas: [] };

/** The environment of a process whose clock is so many times 11 minutes ahead. */
function later(times: number): Readonly<Record<string, string>> {
  const script = `const now = Date.now; Date.now = () => now() + ${String(times * MINUTES_AHEAD * 60_000)};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

describe('the rows of ended sagas in three files', () => {
  let directories: string[];
  let directory: string;
  let app: AppProcess;

  const newDirectory = (): string => {
    const path = temporaryDirectory();
    directories.push(path);
    return path;
  };

  const withShop = async <T>(work: (shop: ShopClients) => Promise<T>): Promise<T> => {
    const shop = new ShopClients(app.url);
    return work(shop).finally(() => {
      shop.close();
    });
  };

  /** Paid, unless the price is beyond the credit. */
  const buy = (price: number, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    withShop(async (shop) => {
      const item = String((await shop.json('POST', `/stock/item/create/${String(price)}`))['item_id']);
      await shop.json('POST', `/stock/add/${item}/1`);
      const user = String((await shop.json('POST', '/payment/create_user'))['user_id']);
      await shop.json('POST', `/payment/add_funds/${user}/5`);
      const order = String((await shop.json('POST', `/orders/create/${user}`))['order_id']);
      await shop.json('POST', `/orders/addItem/${order}/${item}/1`);
      return (await shop.send('POST', `/orders/checkout/${order}`, headers)).status;
    });

  /** What the files of a process that is gone hold. */
  const held = (): readonly Held[] =>
    FILES.map((name) => {
      const database = new BetterSqlite3(join(directory, `${name}.db`), { readonly: true });
      try {
        const read = (sql: string): readonly unknown[] => database.prepare(sql).pluck().all();
        const [point] = read('SELECT pruned_below FROM saga_retention');
        const sagas = read('SELECT DISTINCT saga_number FROM saga_steps ORDER BY saga_number');
        return { point: Number(point), sagas: sagas.map(Number) };
      } finally {
        database.close();
      }
    });

  beforeEach(async () => {
    directories = [];
    directory = newDirectory();
    app = await AppProcess.start(directory);
  });

  afterEach(async () => {
    await app.kill();
    directories.forEach(removeDirectory);
  });

  /** A life so many times 11 minutes later, until it shows so many sagas. What the files hold then. */
  const pruneTo = async (sagas: number, times: number): Promise<readonly Held[]> => {
    app = await AppProcess.start(directory, later(times));
    await withShop((shop) =>
      eventually(
        async () => expect((await shop.send('GET', '/sagas?limit=1')).headers['x-total-count']).toBe(String(sagas)),
        { withinMs: PRUNED_WITHIN_MS, everyMs: 100 },
      ),
    );
    // The files of payment and stock follow the file of orders in commits of their own.
    await eventually(() => expect(new Set(held().map(({ point }) => point)).size).toBe(1));
    await app.stop();
    return held();
  };

  it(
    'are deleted in all files below the first saga that is still kept, and nowhere above it',
    async () => {
      const key = { 'idempotency-key': 'k' };
      expect([await buy(5), await buy(6), await buy(5), await buy(5, key), await buy(5)]).toEqual([
        200, 409, 200, 200, 200,
      ]);
      await app.stop();
      expect(held()).toEqual([
        { point: 0, sagas: [1, 2, 3, 4, 5] },
        // Nothing of the second saga reached stock.
        { point: 0, sagas: [1, 3, 4, 5] },
        { point: 0, sagas: [1, 2, 3, 4, 5] },
      ]);

      expect(await pruneTo(2, 1)).toEqual([
        { point: 4, sagas: [4, 5] },
        { point: 4, sagas: [4, 5] },
        { point: 4, sagas: [4, 5] },
      ]);
    },
    WITHIN_MS,
  );

  it(
    'given kill -9 after each commit of a pruning, are missed by no start, and go with the next pruning',
    async () => {
      expect([await buy(5), await buy(6)]).toEqual([200, 409]);
      await app.stop();
      const [before = ''] = directories;
      const found = new Set<string>();
      for (let commit = 1; !found.has('3,3,3'); commit += 1) {
        directory = newDirectory();
        cpSync(before, directory, { recursive: true });
        const environment = { ...later(1), FAULTS: '1', CRASH_SITE: `sql.commit.after#${String(commit)}` };
        app = AppProcess.spawn(directory, environment);
        expect(await app.exited).toEqual({ code: null, signal: 'SIGKILL' });
        const points = held()
          .map(({ point }) => point)
          .join();
        if (found.has(points)) continue;
        found.add(points);

        app = await AppProcess.start(directory);
        await withShop(async (shop) => {
          expect((await shop.send('GET', '/sagas?state=running')).text).toBe('[]');
          expect(await buy(5)).toBe(200);
        });
        await app.stop();
        expect(await pruneTo(0, 2)).toEqual([NONE, NONE, NONE]);
      }
      expect([...found]).toEqual(['3,0,0', '3,3,0', '3,3,3']);
    },
    WITHIN_MS,
  );
});
