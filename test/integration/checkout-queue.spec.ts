import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';
import { MAX_CHECKOUTS } from '../../src/modules/orders/checkout/checkout.service.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { CourseClient, type RawAnswer } from '../support/course-client.js';
import { eventually } from '../support/eventually.js';
import { inParallel, ShopClients } from '../support/shop-clients.js';

/** Checkouts that come when the queue is full. */
const LATE = 100;
const ORDERS = MAX_CHECKOUTS + LATE;
const ITEMS = 100;
const PLENTY = 1_000_000;
const CONNECTING = 500;
/** Each checkout waits four times, far longer than it takes to fill the queue. */
const DELIVERY_DELAY_MS = '10000';
/** The most that the settings allow: how slow a machine is shall not decide. */
const CHECKOUT_TIMEOUT_MS = 100_000;
const SLOWLY_MS = 300_000;
const WITHIN_MS = 900_000;

/** Each request has a socket of its own here, which takes a file descriptor in the app and one in the test. */
describe('a queue of checkouts that 10,000 connections fill', () => {
  let directory: string;
  let app: AppProcess;
  let clients: ShopClients;
  let connections: readonly CourseClient[] = [];

  const start = async (environment: Readonly<Record<string, string>>): Promise<void> => {
    app = await AppProcess.start(directory, environment);
    clients = new ShopClients(app.url);
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    await start({
      ...{ FAULTS: '1', SAGA_DELIVERY_DELAY_MS: DELIVERY_DELAY_MS, LOG_LEVEL: 'warn' },
      ...{ CHECKOUT_TIMEOUT_MS: String(CHECKOUT_TIMEOUT_MS), REQUEST_TIMEOUT_MS: String(SLOWLY_MS) },
      ...{ HEADERS_TIMEOUT_MS: String(SLOWLY_MS - 1) },
    });
    await clients.json('POST', `/payment/batch_init/${String(ORDERS)}/${String(PLENTY)}`);
    await clients.json('POST', `/stock/batch_init/${String(ITEMS)}/${String(PLENTY)}/1`);
    await clients.json('POST', `/orders/batch_init/${String(ORDERS)}/${String(ITEMS)}/${String(ORDERS)}/1`);
  });

  afterEach(async () => {
    clients.close();
    for (const connection of connections) connection.close();
    await app.kill();
    removeDirectory(directory);
  });

  /** Checks out the orders from number `first` on over these connections, all at once. Rejects when one is dropped. */
  const checkOut = (over: readonly CourseClient[], first: number): Promise<readonly RawAnswer[]> =>
    Promise.all(over.map((connection, index) => connection.post(`/orders/checkout/${String(first + index)}`)));

  /** Bought, or after CHECKOUT_TIMEOUT_MS on a very slow machine told that it goes on. */
  const isBoughtOrInProgress = ({ status, afterMs }: RawAnswer): boolean =>
    status === 200 || (status === 202 && afterMs >= CHECKOUT_TIMEOUT_MS);

  const expectBought = (answers: readonly RawAnswer[]): void => {
    expect(answers.filter((answer) => !isBoughtOrInProgress(answer))).toEqual([]);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
  };

  const countOf = async (query: string): Promise<number> =>
    Number((await clients.send('GET', `/sagas?limit=1${query}`)).headers['x-total-count']);

  const untilFull = (isInVain: () => boolean): Promise<void> =>
    eventually(
      async () => {
        if (!isInVain()) expect(await countOf('')).toBe(MAX_CHECKOUTS);
      },
      { withinMs: SLOWLY_MS, everyMs: 200 },
    );

  /** One row of a database that no process has open. */
  const read = (file: string, sql: string): readonly unknown[] => {
    const database = new BetterSqlite3(join(directory, file), { readonly: true });
    try {
      return database.prepare<[], unknown[]>(sql).raw().get() ?? [];
    } finally {
      database.close();
    }
  };

  it(
    'answers 429 to more before anything is written, buys each that it has taken, and takes the others when they come again',
    async () => {
      connections = await inParallel(ORDERS, CONNECTING, () => CourseClient.open(app.url));
      const taken = checkOut(connections.slice(0, MAX_CHECKOUTS), 0);
      let isDropped = false;
      taken.catch(() => (isDropped = true));
      await untilFull(() => isDropped);
      if (isDropped) await taken;

      const late = connections.slice(MAX_CHECKOUTS);
      const refused = await checkOut(late, MAX_CHECKOUTS);

      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([429]));
      expect(JSON.parse(refused[0]?.text ?? '')).toMatchObject({ code: 'too-many-checkouts' });
      expect(refused[0]?.head).toMatch(/^retry-after: 1\r?$/im);
      expect(await countOf('')).toBe(MAX_CHECKOUTS);
      expectBought(await taken);
      const again = checkOut(late, MAX_CHECKOUTS);
      await eventually(async () => expect(await countOf('')).toBe(ORDERS), { withinMs: SLOWLY_MS });
      expect(app.printed).toBe('');
      await app.stop();
      for (const { status } of await again) expect([200, 202]).toContain(status);
      // What goes on in the next life does not wait.
      await start({ LOG_LEVEL: 'silent' });
      await eventually(async () => expect(await countOf('&state=running')).toBe(0), { withinMs: SLOWLY_MS });
      await app.stop();
      expect(read('payment.db', 'SELECT sum(charged), sum(held) FROM payment_users')).toEqual([2 * ORDERS, 0]);
      expect(read('bookstore.db', 'SELECT sum(sold) FROM stock_items')).toEqual([2 * ORDERS]);
      expect(read('orders.db', `SELECT count(*) FROM orders WHERE state = 'paid'`)).toEqual([ORDERS]);
    },
    WITHIN_MS,
  );
});
