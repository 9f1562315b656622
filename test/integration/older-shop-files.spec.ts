import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { ShopClients } from '../support/shop-clients.js';
import { runToEnd } from '../support/start-process.js';

const WITHIN_MS = 120_000;
const FILES = ['bookstore', 'payment', 'orders'] as const;

interface Order {
  readonly user: string;
  readonly item: string;
  readonly order: string;
}

interface Bought extends Order {
  readonly saga: string;
}

/** One history of two checkouts, and copies of its files from before the second one. */
describe('an older copy of a file of the shop, whose missing commits are accepted', () => {
  let history: string;
  let older: string;
  let directory: string;
  let second: Bought;

  const copy = (name: string, from: string, to: string): void => {
    for (const ending of ['-wal', '-shm']) rmSync(join(to, `${name}.db${ending}`), { force: true });
    copyFileSync(join(from, `${name}.db`), join(to, `${name}.db`));
  };
  const orderOn = async (shop: ShopClients): Promise<Order> => {
    const item = (await shop.json('POST', '/stock/item/create/5'))['item_id'] as string;
    await shop.json('POST', `/stock/add/${item}/1`);
    const user = (await shop.json('POST', '/payment/create_user'))['user_id'] as string;
    await shop.json('POST', `/payment/add_funds/${user}/5`);
    const order = (await shop.json('POST', `/orders/create/${user}`))['order_id'] as string;
    await shop.json('POST', `/orders/addItem/${order}/${item}/1`);
    return { user, item, order };
  };
  const buyOn = async (shop: ShopClients): Promise<Bought> => {
    const one = await orderOn(shop);
    return { ...one, saga: (await shop.json('POST', `/orders/checkout/${one.order}`))['saga_id'] as string };
  };
  const buy = async (): Promise<Bought> => {
    const app = await AppProcess.start(history);
    const shop = new ShopClients(app.url);
    const one = await buyOn(shop);
    shop.close();
    await app.stop();
    return one;
  };

  beforeAll(async () => {
    history = temporaryDirectory();
    older = mkdtempSync(join(tmpdir(), 'bifolio-older-'));
    await buy();
    for (const name of FILES) copy(name, history, older);
    second = await buy();
  }, WITHIN_MS);

  afterAll(() => {
    removeDirectory(history);
    removeDirectory(older);
  });

  beforeEach(() => {
    directory = temporaryDirectory();
    cpSync(history, directory, { recursive: true });
  });

  afterEach(() => {
    removeDirectory(directory);
  });

  const putBack = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) copy(name, older, directory);
    expect((await runToEnd('acceptLoss', directory, { args: ['--reason', 'put back'] })).code).toBe(0);
  };
  const accept = async (): Promise<readonly string[]> => {
    const { code, printed } = await runToEnd('acceptSagas', directory, { args: ['--reason', 'put back'] });
    expect([code, printed]).toEqual([0, expect.any(String)]);
    return printed.trim().split('\n');
  };

  it.each<[string, string]>([
    ['bookstore', 'take of saga 2'],
    ['payment', 'credit-authorised of saga 2'],
    ['orders', 'checkout-started of saga 2'],
  ])(
    '%s.db: the start is refused, names file, saga and the command, and changes nothing',
    async (name, lacks) => {
      await putBack(name);
      for (let start = 0; start < 2; start += 1) {
        const refused = AppProcess.spawn(directory);
        expect((await refused.exited).code).toBe(1);
        expect(refused.printed).toMatch(/^recovery-needed: .*one is an older copy.*npm run sagas:accept -- --reason/);
        expect(refused.printed).toContain(`the database ${name} lacks ${lacks}`);
        expect(refused.printed.trim().split('\n')).toHaveLength(1);
      }

      copy(name, history, directory);
      expect((await runToEnd('acceptLoss', directory, { args: ['--reason', 'put back'] })).code).toBe(0);
      const app = await AppProcess.start(directory);
      const shop = new ShopClients(app.url);
      expect(await shop.json('GET', `/sagas/${second.saga}`)).toMatchObject({ state: 'completed' });
      shop.close();
      await app.stop();
    },
    WITHIN_MS,
  );

  it.each<[names: string, lost: (second: Bought) => string, sums: string]>([
    [
      'bookstore',
      ({ item, order }) => `lost: the sale of 1 of item ${item} for order ${order}`,
      'Lost in all: 0 paid orders, 0 of charged credit, 1 sold pieces of stock. They stay lost.',
    ],
    [
      'payment',
      ({ user, order }) => `lost: the charge of 5 to user ${user} for order ${order}`,
      'Lost in all: 0 paid orders, 5 of charged credit, 0 sold pieces of stock. They stay lost.',
    ],
    [
      'orders',
      ({ user, order }) =>
        `lost: order ${order} of user ${user}, paid with 5: what was charged and sold for it stays so`,
      'Lost in all: 1 paid orders, 0 of charged credit, 0 sold pieces of stock. They stay lost.',
    ],
    [
      'bookstore payment',
      ({ user, item, order }) =>
        `lost: the charge of 5 to user ${user} for order ${order}; the sale of 1 of item ${item} for order ${order}`,
      'Lost in all: 0 paid orders, 5 of charged credit, 1 sold pieces of stock. They stay lost.',
    ],
  ])(
    '%s: npm run sagas:accept names what is lost, writes it down, and the app starts and sells',
    async (names, lost, sums) => {
      await putBack(...names.split(' '));

      const said = await accept();

      const line = lost(second);
      const record = join(directory, 'accepted-losses.log');
      expect(said).toEqual([
        ...[`${line} (put back)`, sums, `${record} names each of them, with the reason.`],
        'Run "npm start" to continue.',
      ]);
      expect(readFileSync(record, 'utf8')).toContain(`"lost":["${line}"],"reason":"put back"`);
      expect(await accept()).toEqual(['Nothing to accept: the files of the shop agree on every checkout.']);

      const app = await AppProcess.start(directory);
      const shop = new ShopClients(app.url);
      const { order } = await buyOn(shop);
      expect(await shop.json('GET', `/orders/find/${order}`)).toMatchObject({ paid: true });
      for (const state of ['running', 'parked'])
        expect((await shop.send('GET', `/sagas?state=${state}`)).text).toBe('[]');
      shop.close();
      await app.stop();
    },
    WITHIN_MS,
  );

  it.each<[name: string, site: string, said: (one: Order) => string, credit: number, paid: boolean]>([
    [
      'orders',
      'saga.step.after#1',
      ({ order, user }) => `taken back: the checkout of order ${order} of user ${user}; 5 of credit is given back`,
      ...([5, false] as const),
    ],
    [
      'bookstore',
      'saga.step.after#3',
      ({ item, order }) => `lost: the sale of 1 of item ${item} for order ${order}`,
      ...([0, true] as const),
    ],
  ])(
    '%s: a checkout that was in the middle at %s is ended',
    async (name, site, said, credit, paid) => {
      const app = await AppProcess.start(directory, { FAULTS: '1', CRASH_SITE: site });
      const shop = new ShopClients(app.url);
      const one = await orderOn(shop);
      await expect(shop.json('POST', `/orders/checkout/${one.order}`)).rejects.toThrow();
      expect(await app.exited).toMatchObject({ signal: 'SIGKILL' });
      shop.close();
      await putBack(name);

      expect(await accept()).toContain(`${said(one)} (put back)`);

      const next = await AppProcess.start(directory);
      const clients = new ShopClients(next.url);
      expect(await clients.json('GET', `/payment/find_user/${one.user}`)).toMatchObject({ credit });
      if (name !== 'orders') expect(await clients.json('GET', `/orders/find/${one.order}`)).toMatchObject({ paid });
      clients.close();
      await next.stop();
    },
    WITHIN_MS,
  );
});
