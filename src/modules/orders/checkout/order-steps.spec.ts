import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../../../test/support/books-database.js';
import { temporaryDirectory } from '../../../../test/support/app-process.js';
import { HeldKeyCounts } from '../../../kernel/index.js';
import { PLATFORM_MIGRATIONS, type SqlDatabase } from '../../../platform/sql/index.js';
import type { SagaRef, StepOutcome } from '../../../protocols/saga/index.js';
import { CreateOrders1764800000004 } from '../create-orders.migration.js';
import type { Order } from '../order.js';
import { OrderRepository } from '../order.repository.js';
import { CheckoutKeysAhead } from './checkout-keys.js';
import { CheckoutRepository } from './checkout.repository.js';
import { CreateSagas1764800000005 } from './create-sagas.migration.js';
import { IndexRefusedSagas1764900000002 } from './index-refused-sagas.migration.js';
import { orderSteps } from './order-steps.js';
import { startCheckout } from './start-checkout.js';

const OPEN: Order = {
  ...{ id: 'o', userId: 'u', state: 'open', sagaNumber: null, setNumber: 3 },
  lines: [{ itemId: 'a', quantity: 2, price: 5 }],
};

describe('the steps of orders in a checkout', () => {
  let directory: string;
  let database: SqlDatabase;
  let orders: OrderRepository;
  let checkouts: CheckoutRepository;
  let nowMs: number;
  let number: number;

  const clock = { nowMs: () => nowMs };
  const begin = (id: string, scope?: string): Promise<SagaRef> => {
    const items = new Map([['a', { price: 7, setNumber: 4 }]]);
    const queries = { userSet: () => 1, items: () => items };
    const operation = { id, ...(scope !== undefined && { scope, bodyHmac: 'h', owner: 'caller' }) };
    number += 1;
    const saga = { orderId: 'o', operation, number };
    return database.writer.run(() => startCheckout({ orders, checkouts, queries, clock }, saga).saga);
  };
  const step = (name: string, saga: SagaRef, data: object = {}): Promise<StepOutcome> =>
    database.writer.run((scope) => orderSteps({ orders, checkouts, clock })[name]!(scope, saga, { ...data }));
  const put = (order: Order): Promise<void> =>
    database.writer.run(() => {
      orders.put(order);
    });

  beforeEach(async () => {
    nowMs = 1_000;
    number = 0;
    directory = temporaryDirectory();
    const migrations = [
      ...[...PLATFORM_MIGRATIONS, CreateOrders1764800000004, CreateSagas1764800000005],
      IndexRefusedSagas1764900000002,
    ];
    database = await openDatabase({ file: join(directory, 'orders.db'), entities: [], migrations });
    orders = new OrderRepository(database);
    checkouts = new CheckoutRepository(database);
    await put(OPEN);
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('the start locks the order, and freezes its lines with the prices of that moment', async () => {
    const saga = await begin('s');
    const lines = [{ itemId: 'a', quantity: 2, price: 7 }];
    expect(orders.find('o')).toEqual({ ...OPEN, state: 'checking-out', sagaNumber: saga.number, lines });
    expect(checkouts.find(saga.number)).toMatchObject({ state: 'running', lines, total: 14, operation: { id: 's' } });
    await expect(begin('other')).rejects.toMatchObject({ code: 'conflict' });
    expect([...checkouts.countAll()]).toEqual([1]);
  });

  it('"mark-paid" pays the order', async () => {
    const saga = await begin('s');
    expect(await step('mark-paid', saga)).toEqual({ event: 'order-paid', data: {}, set: 3 });
    expect([orders.find('o')?.state, checkouts.find(saga.number)?.state]).toEqual(['paid', 'completed']);
  });

  it.each([
    ['what the refused step has told', { code: 'too-little-stock', message: 'none' }, 'too-little-stock'],
    ['an item that is gone', { code: 'not-found', message: 'none' }, 'conflict'],
    ['the reason of a step whose tries are used up', { reason: 'none' }, 'credit-held'],
  ])('"unlock" opens the order and keeps %s', async (_what, data, code) => {
    const saga = await begin('s');
    expect(await step('unlock', saga, data)).toEqual({ event: 'order-unlocked', data: {}, set: 3 });
    expect(orders.find('o')).toMatchObject({ state: 'open', sagaNumber: null });
    expect(checkouts.find(saga.number)).toMatchObject({ state: 'refused', refusal: { code, message: 'none' } });
  });

  it.each(['mark-paid', 'unlock'])('"%s" of an order that its checkout has not locked throws', async (name) => {
    const saga = await begin('s');
    const replaced = { ...OPEN, setNumber: 4 };
    await put(replaced);
    const tried = step(name, saga, { code: 'conflict', message: 'none' });
    await expect(tried).rejects.toThrow('order o is not locked by its checkout s');
    expect([orders.find('o'), checkouts.find(saga.number)?.state]).toEqual([replaced, 'running']);
  });

  it('"unlock" of a saga whose user or item was replaced opens the order', async () => {
    const saga = await begin('s');
    await step('unlock', saga, { code: 'conflict', message: 'user u was replaced', isSuperseded: true });
    expect(orders.find('o')).toMatchObject({ state: 'open', sagaNumber: null });
    const refusal = { code: 'conflict', message: 'user u was replaced' };
    expect(checkouts.find(saga.number)).toMatchObject({ state: 'superseded', refusal });
  });

  it('given a saga of another id under its number, does nothing and throws', async () => {
    const { number } = await begin('s');
    await expect(step('mark-paid', { number, id: 'other' })).rejects.toThrow('does not know saga');
    expect(orders.find('o')?.state).toBe('checking-out');
  });

  it('the keys that are held are counted by caller and second, and each state but "completed" is found by an index', async () => {
    for (const [id, scope] of [['1', 'a'], ['2', 'b'], ['3']] as const) {
      await step('unlock', await begin(id, scope), { reason: 'none' });
    }
    nowMs = 2_500;
    await step('unlock', await begin('4', 'c'), { reason: 'none' });

    const owner = 'caller';
    expect([...checkouts.heldKeys()]).toEqual([
      ...[
        { owner, atMs: 1_000, count: 2 },
        { owner, atMs: 2_000, count: 1 },
      ],
    ]);
    const counts = new HeldKeyCounts();
    const ahead = new CheckoutKeysAhead(database.reader.handle, counts);
    Array.from(ahead.count());
    const { number } = await begin('5', 'd');
    Array.from(ahead.count());
    expect([...counts]).toEqual([
      { owner, atMs: 1_000, count: 2 },
      { owner, atMs: 2_000, count: 1 },
    ]);
    expect([...checkouts.heldKeys(ahead.below)]).toEqual([{ owner, atMs: 2_000, count: 1 }]);
    await step('unlock', { number, id: '5' }, { reason: 'none' });
    const plans = ['running', 'refused', 'superseded'].map((state) =>
      JSON.stringify(
        database.reader.handle.prepare(`EXPLAIN QUERY PLAN SELECT count(*) FROM sagas WHERE state = '${state}'`).all(),
      ),
    );
    expect(plans.map((plan) => /INDEX sagas_\w+/.exec(plan)?.[0])).toEqual([
      ...['INDEX sagas_running', 'INDEX sagas_refused', 'INDEX sagas_superseded'],
    ]);
    expect([checkouts.count('refused'), [...checkouts.countAll()]]).toEqual([5, [5]]);
  });
});
