import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { ShopClients } from '../support/shop-clients.js';
import { runToEnd } from '../support/start-process.js';

const WITHIN_MS = 120_000;
const FILES = ['bookstore', 'payment', 'orders'] as const;

/** One history of two checkouts, and copies of its files from before the second one. */
describe('an older copy of a file of the shop, whose missing commits are accepted', () => {
  let history: string;
  let older: string;
  let secondSaga: string;

  const copy = (name: string, from: string, to: string): void => {
    for (const ending of ['-wal', '-shm']) rmSync(join(to, `${name}.db${ending}`), { force: true });
    copyFileSync(join(from, `${name}.db`), join(to, `${name}.db`));
  };
  const buy = async (): Promise<string> => {
    const app = await AppProcess.start(history);
    const shop = new ShopClients(app.url);
    const item = (await shop.json('POST', '/stock/item/create/5'))['item_id'] as string;
    await shop.json('POST', `/stock/add/${item}/1`);
    const user = (await shop.json('POST', '/payment/create_user'))['user_id'] as string;
    await shop.json('POST', `/payment/add_funds/${user}/5`);
    const order = (await shop.json('POST', `/orders/create/${user}`))['order_id'] as string;
    await shop.json('POST', `/orders/addItem/${order}/${item}/1`);
    const saga = (await shop.json('POST', `/orders/checkout/${order}`))['saga_id'] as string;
    shop.close();
    await app.stop();
    return saga;
  };

  beforeAll(async () => {
    history = temporaryDirectory();
    older = mkdtempSync(join(tmpdir(), 'bifolio-older-'));
    await buy();
    for (const name of FILES) copy(name, history, older);
    secondSaga = await buy();
  }, WITHIN_MS);

  afterAll(() => {
    removeDirectory(history);
    removeDirectory(older);
  });

  it.each<[string, string]>([
    ['bookstore', 'take of saga 2'],
    ['payment', 'credit-authorised of saga 2'],
    ['orders', 'checkout-started of saga 2'],
  ])(
    '%s.db: the start is refused, names the file and the saga, and changes nothing',
    async (name, lacks) => {
      const latest = mkdtempSync(join(tmpdir(), 'bifolio-latest-'));
      copy(name, history, latest);
      copy(name, older, history);
      expect((await runToEnd('acceptLoss', history, { args: ['--reason', 'put back'] })).code).toBe(0);

      for (let start = 0; start < 2; start += 1) {
        const refused = AppProcess.spawn(history);
        expect((await refused.exited).code).toBe(1);
        expect(refused.printed).toMatch(/^recovery-needed: .*one is an older copy/);
        expect(refused.printed).toContain(`the database ${name} lacks ${lacks}`);
        expect(refused.printed.trim().split('\n')).toHaveLength(1);
      }

      copy(name, latest, history);
      expect((await runToEnd('acceptLoss', history, { args: ['--reason', 'put back'] })).code).toBe(0);
      const app = await AppProcess.start(history);
      const shop = new ShopClients(app.url);
      expect(await shop.json('GET', `/sagas/${secondSaga}`)).toMatchObject({ state: 'completed' });
      shop.close();
      await app.stop();
      removeDirectory(latest);
    },
    WITHIN_MS,
  );
});
