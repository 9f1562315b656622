import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';
import { itemOf, Shop } from './support/shop.js';

/** Each of the four events takes so long that a checkout goes on for ten seconds after its timeout. */
const app = useSharedApp({
  ...{ FAULTS: '1', SAGA_DELIVERY_DELAY_MS: '3000', CHECKOUT_TIMEOUT_MS: '1500' },
  ...{ REPLICA_TIMEOUT_MS: '50', PREPARE_DEADLINE_MS: '100', WRITE_DEADLINE_MS: '200' },
});
const shop = new Shop(() => app.client);

describe('a checkout that outlasts CHECKOUT_TIMEOUT_MS', () => {
  it('is answered 202, holds the order meanwhile, and ends as its operation and its saga tell', async () => {
    const [user, book, key] = [await shop.user(100), await shop.book(100, 1), newKey()];
    const id = await shop.order(user, [[itemOf(book), 1]]);

    const answer = await shop.checkOut(id, key);
    expect((await app.client.get('/metrics')).text).toContain('bifolio_sagas{state="running"} 1');
    const other = await shop.checkOut(id);
    expect(other.header('retry-after')).toBe('1');
    const line = await shop.post(`/orders/addItem/${id}/${itemOf(book)}/1`);
    const repeat = await shop.checkOut(id, key);

    const operation = answer.header('location');
    expect([answer.status, answer.json()]).toMatchObject([202, { state: 'running' }]);
    expect([other.problem(409).detail, line.problem(409).detail]).toEqual([
      ...[`order ${id} is being checked out`, `order ${id} is being checked out`],
    ]);
    expect([repeat.status, repeat.header('location')]).toEqual([202, operation]);
    expect(await shop.json(operation)).toMatchObject({ state: 'running', answer: null });
    await eventually(async () => expect(await shop.json(operation)).toMatchObject({ state: 'committed' }));
    expect((await shop.checkOut(id, key)).json()).toMatchObject({ order_id: id, paid: true });
    expect([await shop.creditOf(user), await shop.quantityOf(book)]).toEqual([0, 0]);
    const saga = await shop.json<{ steps: { step: string }[] }>(operation.replace('operations', 'sagas'));
    expect(saga.steps.map(({ step }) => step)).toEqual(['start', 'authorise', 'take', 'capture', 'mark-paid']);
  });
});

describe('sagas', () => {
  it('given a refused one, shows its compensations and its reason, in the list of its state too', async () => {
    const [user, book] = [await shop.user(100), await shop.book(50, 1)];
    const id = await shop.order(user, [[itemOf(book), 2]]);
    const running = await shop.checkOut(id);
    const path = running.header('location').replace('operations', 'sagas');
    await eventually(async () => expect(await shop.json(path)).toMatchObject({ state: 'refused' }));

    const saga = await shop.json<{ id: string; steps: { compensates?: string; step: string }[] }>(path);
    expect(saga).toMatchObject({ orderId: id, total: 100, reason: { code: 'too-little-stock' }, deliveries: [] });
    expect(saga.steps.map(({ step, compensates = '' }) => `${step} ${compensates}`)).toEqual([
      ...['start ', 'authorise ', 'take ', 'void authorise', 'unlock start'],
    ]);
    const refused = await shop.json<unknown[]>('/sagas?state=refused');
    expect(refused).toEqual([saga]);
    (await shop.post(`${path}/resume`)).problem(409);
    (await shop.post('/sagas/019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77/resume')).problem(404);
    expect((await shop.post('/sagas/recover')).json()).toEqual({ ended: [], parked: [] });
  });
});
