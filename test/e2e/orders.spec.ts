import { describe, expect, it } from '@jest/globals';
import { newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';
import { itemOf, Shop } from './support/shop.js';

const MAX = Number.MAX_SAFE_INTEGER;
const app = useSharedApp();
const shop = new Shop(() => app.client);

describe('an order', () => {
  it('given create, is empty and unpaid, at its Location', async () => {
    const user = await shop.user();
    const created = await shop.post(`/orders/create/${user}`);
    const { order_id: id } = created.json<{ order_id: string }>();
    expect([created.status, created.header('location')]).toEqual([201, `/orders/find/${id}`]);
    const found = await app.client.get(`/orders/find/${id}`);
    expect([found.status, found.json()]).toEqual([
      200,
      { order_id: id, paid: false, items: [], user_id: user, total_cost: 0 },
    ]);
    const unchanged = await app.client.get(`/orders/find/${id}`, { 'if-none-match': found.header('etag') });
    expect(unchanged.status).toBe(304);
  });

  it('given the same item twice, has two lines and a total over both', async () => {
    const [user, book] = [await shop.user(), await shop.book(1250, 9)];
    const item = itemOf(book);
    const id = await shop.order(user, [[item, 2]]);
    const answer = await shop.post(`/orders/addItem/${id}/${item}/3`);
    const view = {
      ...{ order_id: id, paid: false, user_id: user, total_cost: 6_250 },
      items: [
        [item, 2],
        [item, 3],
      ],
    };
    expect([answer.status, answer.json(), await shop.find(id)]).toEqual([200, view, view]);
    expect(await shop.quantityOf(book)).toBe(9);
  });

  it('given a repeated key, adds the line once', async () => {
    const [user, book] = [await shop.user(), await shop.book(100, 1)];
    const id = await shop.order(user);
    const headers = { 'idempotency-key': newKey() };
    for (let time = 0; time < 2; time += 1) await shop.post(`/orders/addItem/${id}/${itemOf(book)}/1`, headers);
    expect((await shop.find(id))['items']).toEqual([[itemOf(book), 1]]);
  });

  it('given what is unknown or malformed, is refused by its name and stays as it was', async () => {
    const [user, item] = [await shop.user(), itemOf(await shop.book(100, 1))];
    const id = await shop.order(user);
    (await shop.post('/orders/create/nobody')).problem(404);
    (await shop.post('/orders/create/a.b')).problem(400, 'user_id');
    (await app.client.get('/orders/find/nothing')).problem(404);
    (await app.client.get('/orders/find/a.b')).problem(400, 'order_id');
    (await shop.post(`/orders/addItem/nothing/${item}/1`)).problem(404);
    (await shop.post(`/orders/addItem/${id}/nothing/1`)).problem(404);
    (await shop.post(`/orders/addItem/${id}/a.b/1`)).problem(400, 'item_id');
    for (const quantity of ['0', '-1', '1.5', 'x', '9007199254740992']) {
      (await shop.post(`/orders/addItem/${id}/${item}/${quantity}`)).problem(400, 'quantity');
    }
    expect((await shop.find(id))['items']).toEqual([]);
  });

  it('given a total beyond the largest exact number, refuses the line', async () => {
    const item = itemOf(await shop.book(100, 1));
    const id = await shop.order(await shop.user());
    for (const quantity of [MAX, Math.floor(MAX / 100) + 1]) {
      expect((await shop.post(`/orders/addItem/${id}/${item}/${String(quantity)}`)).problem(409).code).toBe('conflict');
    }
    expect((await shop.post(`/orders/addItem/${id}/${item}/${String(Math.floor(MAX / 100))}`)).status).toBe(200);
    (await shop.post(`/orders/addItem/${id}/${item}/1`)).problem(409);
  });
});

describe('a checkout', () => {
  it('takes the stock, charges the user and marks the order as paid, before it answers', async () => {
    const [user, book, other] = [await shop.user(10_000), await shop.book(1_250, 5), await shop.book(99, 1)];
    const id = await shop.order(user, [
      [itemOf(book), 2],
      [itemOf(other), 1],
      [itemOf(book), 1],
    ]);
    const answer = await shop.checkOut(id);

    const paid = { ...(await shop.find(id)) };
    expect([answer.status, answer.json()]).toEqual([200, { ...paid, saga_id: answer.header('x-operation-id') }]);
    expect(paid).toMatchObject({ paid: true, total_cost: 3_849 });
    expect([await shop.creditOf(user), await shop.quantityOf(book), await shop.quantityOf(other)]).toEqual([
      6_151, 2, 0,
    ]);
    const again = (await shop.checkOut(id)).problem(409);
    expect([again.code, again.detail, await shop.creditOf(user)]).toEqual(['conflict', `order ${id} is paid`, 6_151]);
    (await shop.post(`/orders/addItem/${id}/${itemOf(book)}/1`)).problem(409);
  });

  it.each<[string, { credit: number; wanted: number }, string]>([
    ['too little credit', { credit: 299, wanted: 3 }, 'too-little-credit'],
    ['too little stock', { credit: 10_000, wanted: 6 }, 'too-little-stock'],
  ])('given %s, is refused once everything is given back, and can be repeated', async (_what, given, code) => {
    const [user, book] = [await shop.user(given.credit), await shop.book(100, 5)];
    const id = await shop.order(user, [
      [itemOf(book), 1],
      [itemOf(book), given.wanted - 1],
    ]);
    const refused = (await shop.checkOut(id)).problem(409);

    expect([refused.code, refused.instance]).toEqual([code, `/orders/checkout/${id}`]);
    expect([await shop.creditOf(user), await shop.quantityOf(book)]).toEqual([given.credit, 5]);
    expect((await shop.find(id))['paid']).toBe(false);
    expect((await shop.checkOut(id)).problem(409).code).toBe(code);
    await shop.post(`/payment/add_funds/${user}/1000`);
    await app.client.put(book, { title: 'Emma', author: 'Jane Austen', price: 1, quantity: 6 });
    expect([(await shop.checkOut(id)).status, await shop.quantityOf(book)]).toEqual([200, 6 - given.wanted]);
  });

  it('given no lines, is refused as malformed; given no such order, as unknown', async () => {
    const empty = (await shop.checkOut(await shop.order(await shop.user(1)))).problem(400, 'order_id');
    expect(empty).toMatchObject({
      code: 'validation-failed',
      detail: 'order_id must be that of an order with lines: add an item first',
    });
    (await shop.checkOut('nothing')).problem(404);
    (await shop.checkOut('a.b')).problem(400, 'order_id');
  });

  it('given a total of 0, takes the stock and is paid', async () => {
    const [user, book] = [await shop.user(), await shop.book(0, 1)];
    const id = await shop.order(user, [[itemOf(book), 1]]);
    expect((await shop.checkOut(id)).json()).toMatchObject({ paid: true, total_cost: 0 });
    expect(await shop.quantityOf(book)).toBe(0);
  });

  it('given a price that has changed since addItem, charges the present price and shows it', async () => {
    const [user, book] = [await shop.user(1_000), await shop.book(100, 5)];
    const id = await shop.order(user, [[itemOf(book), 2]]);
    await app.client.put(book, { title: 'Emma', author: 'Jane Austen', price: 3, quantity: 5 });
    expect((await shop.find(id))['total_cost']).toBe(200);
    expect((await shop.checkOut(id)).json()).toMatchObject({ total_cost: 600 });
    expect([await shop.creditOf(user), (await shop.find(id))['total_cost']]).toEqual([400, 600]);
  });

  it('given a book that is gone since addItem, is refused and takes nothing', async () => {
    const [user, book, gone] = [await shop.user(1_000), await shop.book(100, 5), await shop.book(100, 5)];
    const id = await shop.order(user, [
      [itemOf(book), 1],
      [itemOf(gone), 1],
    ]);
    await app.client.delete(gone);
    const refused = (await shop.checkOut(id)).problem(409);
    expect([refused.code, refused.detail]).toEqual(['conflict', expect.stringContaining(itemOf(gone))]);
    expect([await shop.creditOf(user), await shop.quantityOf(book)]).toEqual([1_000, 5]);
  });

  it('given prices that have risen beyond the largest exact total, is refused and takes nothing', async () => {
    const [user, book] = [await shop.user(1), await shop.book(1, 1)];
    const id = await shop.order(user, [[itemOf(book), MAX]]);
    await app.client.put(book, { title: 'Emma', author: 'Jane Austen', price: 1, quantity: 1 });
    expect((await shop.checkOut(id)).problem(409).code).toBe('conflict');
  });
});

describe('a checkout with an Idempotency-Key', () => {
  it('given a repeat after it is paid, gets the same answer, and nothing is charged again', async () => {
    const [user, book, key] = [await shop.user(1_000), await shop.book(100, 5), newKey()];
    const id = await shop.order(user, [[itemOf(book), 1]]);
    const [first, second] = await Promise.all([shop.checkOut(id, key), shop.checkOut(id, key)]);
    const third = await shop.checkOut(id, key);

    expect([first.status, second.text, third.text]).toEqual([200, first.text, first.text]);
    expect([second, third].some((one) => one.header('idempotency-replayed') === 'true')).toBe(true);
    expect([await shop.creditOf(user), await shop.quantityOf(book)]).toEqual([900, 4]);
    const operation = await shop.json(`/operations/${first.header('x-operation-id')}`);
    expect(operation).toMatchObject({ state: 'committed', answer: { status: 200, body: first.json() } });
  });

  it('given a refusal, keeps it with its key although the order could be bought now; a new key tries again', async () => {
    const [user, book, key] = [await shop.user(), await shop.book(100, 5), newKey()];
    const id = await shop.order(user, [[itemOf(book), 1]]);
    const refused = await shop.checkOut(id, key);
    await shop.post(`/payment/add_funds/${user}/100`);
    const again = await shop.checkOut(id, key);

    refused.problem(409);
    expect([again.status, again.text, again.header('content-type')]).toEqual([
      ...[409, refused.text, refused.header('content-type')],
    ]);
    expect(again.header('idempotency-replayed')).toBe('true');
    const operation = await shop.json(`/operations/${refused.header('x-operation-id')}`);
    expect(operation).toMatchObject({ state: 'aborted', answer: { status: 409, body: refused.json() } });
    expect((await shop.checkOut(id, newKey())).status).toBe(200);
  });

  it('given refusals before anything was written, keeps none of them', async () => {
    const [user, book, key] = [await shop.user(100), await shop.book(100, 5), newKey()];
    const id = await shop.order(user);
    (await shop.checkOut(id, key)).problem(400);
    await shop.post(`/orders/addItem/${id}/${itemOf(book)}/1`);
    expect((await shop.checkOut(id, key)).status).toBe(200);
  });
});
