import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Answer, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';
import { itemOf, Shop } from './support/shop.js';

const app = useSharedApp({ FAULTS: '1', SAGA_DELIVERY_DELAY_MS: '200' });

const post = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  app.client.post(path, undefined, headers);
const read = async (path: string): Promise<unknown> => (await app.client.get(path)).json();

interface Kind {
  readonly rows: string;
  /** Before `/batch_init/{n}`. */
  readonly path: string;
  /** The parameters after `n`, and the row that they make. */
  readonly sets: readonly (readonly [parameters: string, row: (id: string) => unknown])[];
  readonly find: string;
  /** Sent first. */
  readonly prepare?: readonly string[];
  /** Changes row "2" of the first set, and what it is then. */
  readonly change: readonly [path: string, row: unknown];
  /** After `n`, with the parameter that is named. */
  readonly refused: readonly (readonly [parameters: string, field: string])[];
}

const KINDS: readonly Kind[] = [
  {
    rows: 'items',
    path: '/stock',
    sets: [
      ['50/3', () => ({ stock: 50, price: 3 })],
      ['7/4', () => ({ stock: 7, price: 4 })],
    ],
    find: '/stock/find',
    change: ['/stock/subtract/2/20', { stock: 30, price: 3 }],
    refused: [
      ['1.5/1', 'starting_stock'],
      ['1/x', 'item_price'],
    ],
  },
  {
    rows: 'users',
    path: '/payment',
    sets: [
      ['50', (id) => ({ user_id: id, credit: 50 })],
      ['7', (id) => ({ user_id: id, credit: 7 })],
    ],
    find: '/payment/find_user',
    change: ['/payment/pay/2/20', { user_id: '2', credit: 30 }],
    refused: [
      ['1.5', 'starting_money'],
      ['9007199254740992', 'starting_money'],
    ],
  },
  {
    rows: 'orders',
    path: '/orders',
    prepare: ['/stock/batch_init/1/9/3'],
    sets: [
      ['1/1/3', (id) => orderOf(id, ['0', 1], ['0', 1])],
      ['1/1/4', (id) => ({ ...orderOf(id, ['0', 1], ['0', 1]), total_cost: 8 })],
    ],
    find: '/orders/find',
    change: ['/orders/addItem/2/0/4', orderOf('2', ['0', 1], ['0', 1], ['0', 4])],
    refused: [
      ['0/1/1', 'n_items'],
      ['1/0/1', 'n_users'],
      ['1/1000001/1', 'n_users'],
      ['1/1/x', 'item_price'],
    ],
  },
];

/** An order of user "0", at a price of 3 for each piece. */
function orderOf(
  id: string,
  ...items: readonly (readonly [item: string, quantity: number])[]
): Readonly<Record<string, unknown>> {
  const total_cost = 3 * items.reduce((sum, [, quantity]) => sum + quantity, 0);
  return { order_id: id, paid: false, items, user_id: '0', total_cost };
}

describe.each(KINDS)('batch_init of $rows', ({ rows, path, sets, find, change, refused, prepare = [] }) => {
  const [[first, ofFirst], [second, ofSecond]] = sets as [Kind['sets'][number], Kind['sets'][number]];

  it('makes rows of numbers, once per Idempotency-Key, and replaces them when it is repeated', async () => {
    for (const one of prepare) expect((await post(one)).status).toBe(200);
    const headers = { 'idempotency-key': newKey() };
    const made = await post(`${path}/batch_init/3/${first}`, headers);
    expect([made.status, made.header('content-type')]).toEqual([200, expect.stringContaining('application/json')]);
    expect(made.json()).toEqual({ msg: `3 ${rows}, "0" to "2", are initialised` });
    const [changing, changed] = change;
    expect((await post(changing)).status).toBe(200);
    expect((await post(`${path}/batch_init/3/${first}`, headers)).header('idempotency-replayed')).toBe('true');
    expect([await read(`${find}/0`), await read(`${find}/2`)]).toEqual([ofFirst('0'), changed]);
    (await app.client.get(`${find}/900000`)).problem(404);

    expect((await post(`${path}/batch_init/2/${second}`)).status).toBe(200);
    const found = await Promise.all(['0', '1', '2'].map((id) => read(`${find}/${id}`)));
    expect(found).toEqual([ofSecond('0'), ofSecond('1'), changed]);
    expect((await post(`${path}/batch_init/0/${first}`)).json()).toEqual({ msg: `0 ${rows} are initialised` });
  });

  it('given a wrong parameter, is refused by its name', async () => {
    for (const n of ['1000001', '-1', 'x', '01']) (await post(`${path}/batch_init/${n}/${first}`)).problem(400, 'n');
    for (const [parameters, field] of refused) (await post(`${path}/batch_init/1/${parameters}`)).problem(400, field);
  });

  it('given another one in the meantime, of whatever rows, is refused', async () => {
    // The first may end before the second arrives: then the two are sent again.
    const refused = await eventually(async () => {
      const both = ['/payment/batch_init/5000/1', `${path}/batch_init/5000/${first}`].map((one) => post(one));
      const found = (await Promise.all(both)).find(({ status }) => status === 409);
      if (found === undefined) throw new Error('both were let in');
      return found;
    });
    expect(refused.problem(409)).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('a batch_init replaces'),
    });
  });
});

describe('a checkout and batch_init', () => {
  const shop = new Shop(() => app.client);

  it('given a checkout under way, refuse batch_init until it has ended', async () => {
    const [user, item] = [await shop.user(1_000), itemOf(await shop.book(1, 1_000))];
    // The checkout may end before the batch_init arrives: then there is another.
    const refused = await eventually(async () => {
      const checkout = post(`/orders/checkout/${await shop.order(user, [[item, 1]])}`);
      await eventually(async () => expect(await read('/sagas?state=running')).not.toEqual([]));
      const answer = await post('/payment/batch_init/0/0');
      expect((await checkout).status).toBe(200);
      if (answer.status === 200) throw new Error('the checkout had ended');
      return answer;
    });
    expect(refused.problem(409)).toMatchObject({
      code: 'conflict',
      detail: '1 checkout is under way; nothing was written',
    });
    expect((await post('/payment/batch_init/0/0')).status).toBe(200);
  });

  it('given a batch_init under way, refuse the checkout', async () => {
    const order = await shop.order(await shop.user());
    const refused = await eventually(async () => {
      const running = post('/payment/batch_init/5000/1');
      const answer = await post(`/orders/checkout/${order}`);
      await running;
      // An order without lines is refused by itself.
      if (answer.status === 400) throw new Error('the batch_init had ended');
      return answer;
    });
    expect(refused.problem(409).detail).toBe('a batch_init replaces users; nothing was written');
  });
});
