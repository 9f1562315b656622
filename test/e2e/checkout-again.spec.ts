import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Answer, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';
import { itemOf, Shop } from './support/shop.js';

const PRICE = 5;
/** An order of batch_init holds two items. */
const TOTAL = 2 * PRICE;
const app = useSharedApp();
const shop = new Shop(() => app.client);

/** The answer to the first request with a key, once more. */
function expectReplayed(again: Answer, first: Answer): void {
  expect([again.status, again.text, again.header('idempotency-replayed')]).toEqual([first.status, first.text, 'true']);
}

describe('an order that was refused, checked out again once its item is restocked', () => {
  it('given the same key, replays the refusal and takes nothing; given a new key or none, is paid', async () => {
    for (const next of [newKey(), undefined]) {
      const [user, book, key] = [await shop.user(2 * PRICE), await shop.book(PRICE, 1), newKey()];
      const id = await shop.order(user, [[itemOf(book), 2]]);
      const refused = await shop.checkOut(id, key);
      expect(refused.problem(409).code).toBe('too-little-stock');
      expect((await shop.post(`/stock/add/${itemOf(book)}/1`)).status).toBe(200);

      expectReplayed(await shop.checkOut(id, key), refused);
      expect([await shop.creditOf(user), await shop.quantityOf(book)]).toEqual([2 * PRICE, 2]);
      expect((await shop.checkOut(id, next)).json()).toMatchObject({ paid: true, total_cost: 2 * PRICE });
      expect([await shop.creditOf(user), await shop.quantityOf(book)]).toEqual([0, 0]);
      expectReplayed(await shop.checkOut(id, key), refused);
    }
  });
});

describe('an order that was checked out, again after a batch_init of new rows with the same ids', () => {
  const users = (credit: number): string => `/payment/batch_init/1/${String(credit)}`;
  const items = (stock: number): string => `/stock/batch_init/1/${String(stock)}/${String(PRICE)}`;
  const ORDERS = `/orders/batch_init/1/1/1/${String(PRICE)}`;

  const fill = async (...paths: readonly string[]): Promise<void> => {
    for (const path of paths) expect([path, (await shop.post(path)).status]).toEqual([path, 200]);
  };
  const stock = async (): Promise<unknown> => (await shop.json('/stock/find/0'))['stock'];

  beforeEach(async () => {
    await fill(users(TOTAL), items(2), ORDERS);
  });

  it.each<[string, readonly string[], string, readonly string[]]>([
    ['items, restocked', [items(1)], 'too-little-stock', [items(2)]],
    ['users, with more credit', [users(TOTAL - 1)], 'too-little-credit', [users(TOTAL)]],
    ['orders, and the item is restocked', [items(1)], 'too-little-stock', ['/stock/add/0/1', ORDERS]],
    ['all three', [items(0)], 'too-little-stock', [users(TOTAL), items(2), ORDERS]],
  ])('of %s: its refusal is replayed with its key, and without one it is paid', async (_of, before, code, after) => {
    await fill(...before);
    const key = newKey();
    const refused = await shop.checkOut('0', key);
    expect(refused.problem(409).code).toBe(code);
    await fill(...after);

    expectReplayed(await shop.checkOut('0', key), refused);
    expect([await shop.creditOf('0'), await stock(), (await shop.find('0'))['paid']]).toEqual([TOTAL, 2, false]);
    expect((await shop.checkOut('0')).json()).toMatchObject({ order_id: '0', paid: true, total_cost: TOTAL });
    expect([await shop.creditOf('0'), await stock(), (await shop.find('0'))['paid']]).toEqual([0, 0, true]);
  });

  it('given an order that was paid, replays that answer with its key and sells nothing; without one it is paid anew', async () => {
    const key = newKey();
    const paid = await shop.checkOut('0', key);
    expect(paid.json()).toMatchObject({ paid: true });
    await fill(users(TOTAL), items(2), ORDERS);

    expectReplayed(await shop.checkOut('0', key), paid);
    expect([await shop.creditOf('0'), await stock(), (await shop.find('0'))['paid']]).toEqual([TOTAL, 2, false]);
    const anew = await shop.checkOut('0');
    expect([anew.status, anew.json()['saga_id'] === paid.json()['saga_id']]).toEqual([200, false]);
    expect([await shop.creditOf('0'), await stock()]).toEqual([0, 0]);
  });
});
