import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type Answer, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

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
];

describe.each(KINDS)('batch_init of $rows', ({ rows, path, sets, find, change, refused }) => {
  const [[first, ofFirst], [second, ofSecond]] = sets as [Kind['sets'][number], Kind['sets'][number]];

  it('makes rows of numbers, once per Idempotency-Key, and replaces them when it is repeated', async () => {
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
