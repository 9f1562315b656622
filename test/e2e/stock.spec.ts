import { describe, expect, it } from '@jest/globals';
import { type Answer, newKey } from './support/client.js';
import { BOOK } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const MAX = Number.MAX_SAFE_INTEGER;
const app = useSharedApp();

const post = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  app.client.post(`/stock/${path}`, undefined, headers);

async function newItem(stock = 0, price = 5): Promise<string> {
  const { item_id } = (await post(`item/create/${String(price)}`)).json<{ item_id: string }>();
  if (stock > 0) expect((await post(`add/${item_id}/${String(stock)}`)).status).toBe(200);
  return item_id;
}

async function stockOf(id: string): Promise<unknown> {
  return (await app.client.get(`/stock/find/${id}`)).json()['stock'];
}

/** A new book: its path, and the id of its item. */
async function newBook(): Promise<{ readonly at: string; readonly item: string }> {
  const at = await app.client.add(BOOK.path, BOOK.input);
  return { at, item: at.replace('/books/', 'book-') };
}

describe('an item of stock', () => {
  it('given item/create, has an id that is text, its price and no stock, at its Location', async () => {
    const created = await post(`item/create/${String(MAX)}`);
    const { item_id: id } = created.json<{ item_id: string }>();
    expect([created.status, typeof id, created.header('location')]).toEqual([201, 'string', `/stock/find/${id}`]);
    const found = await app.client.get(created.header('location'));
    expect([found.status, found.text]).toEqual([200, JSON.stringify({ stock: 0, price: MAX })]);
    const again = await app.client.get(created.header('location'), { 'if-none-match': found.header('etag') });
    expect(again.status).toBe(304);
  });

  it('given add and subtract, has the difference, down to zero and never below it', async () => {
    const id = await newItem();
    expect((await post(`add/${id}/1000000`)).json()).toEqual({ stock: 1_000_000, price: 5 });
    expect((await post(`subtract/${id}/999999`)).json()).toEqual({ stock: 1, price: 5 });
    const refused = (await post(`subtract/${id}/2`)).problem(409);
    expect([refused.code, refused.detail]).toEqual(['too-little-stock', expect.stringContaining(id)]);
    expect((await post(`subtract/${id}/1`)).json()).toEqual({ stock: 0, price: 5 });
    expect([(await post(`subtract/${id}/0`)).status, await stockOf(id)]).toEqual([200, 0]);
  });

  it('given many subtractions at once, gives no more than there is', async () => {
    const id = await newItem(10);
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(`subtract/${id}/1`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(10).fill(200),
      ...Array<number>(20).fill(409),
    ]);
    expect(await stockOf(id)).toBe(0);
  });

  it('given more than the largest exact number, is refused it and keeps its stock', async () => {
    const id = await newItem(MAX);
    expect((await post(`add/${id}/1`)).problem(409).code).toBe('conflict');
    expect([(await post(`subtract/${id}/1`)).status, await stockOf(id)]).toEqual([200, MAX - 1]);
  });

  it.each(['add', 'subtract'])('given %s of what is no amount, or of no item, is refused', async (action) => {
    const id = await newItem(1);
    for (const amount of ['-1', '1.5', '01', 'x', '9007199254740992', '%20']) {
      (await post(`${action}/${id}/${amount}`)).problem(400, 'amount');
    }
    (await post(`${action}/a%20b/1`)).problem(400, 'item_id');
    (await post(`${action}/${'x'.repeat(65)}/1`)).problem(400, 'item_id');
    (await post(`${action}/nothing/1`)).problem(404);
    expect(await stockOf(id)).toBe(1);
  });

  it('given a price that is none, an unknown id, or a malformed one, is refused', async () => {
    (await post('item/create/1.5')).problem(400, 'price');
    (await app.client.get('/stock/find/nothing')).problem(404);
    (await app.client.get('/stock/find/a.b')).problem(400, 'item_id');
  });

  it.each([
    ['octet-stream and nothing, as aiohttp', { 'content-type': 'application/octet-stream' }, undefined],
    ['JSON and nothing', { 'content-type': 'application/json' }, undefined],
    ['an empty object', {}, {}],
  ])('given requests with %s, serves them', async (_what, headers, json) => {
    const created = await app.client.post('/stock/item/create/1', json, headers);
    expect(created.status).toBe(201);
    const { item_id: id } = created.json<{ item_id: string }>();
    expect((await app.client.post(`/stock/add/${id}/1`, json, headers)).status).toBe(200);
  });

  it('given a field in the body, refuses it by its name', async () => {
    (await app.client.post('/stock/item/create/1', { stock: 5 })).problem(400, 'stock');
  });

  it.each(['GET', 'PUT', 'DELETE'])('given %s where only POST is served, answers 405', async (method) => {
    expect((await app.client.send(method, '/stock/add/1/1')).problem(405).code).toBe('method-not-allowed');
  });

  it('given a repeated Idempotency-Key, is delivered once, and reports the write as an operation', async () => {
    const id = await newItem();
    const headers = { 'idempotency-key': newKey() };
    const [first, again] = [await post(`add/${id}/5`, headers), await post(`add/${id}/5`, headers)];
    expect([again.text, again.header('idempotency-replayed'), await stockOf(id)]).toEqual([first.text, 'true', 5]);
    const operation = await app.client.get(`/operations/${first.header('x-operation-id')}`);
    expect(operation.json()).toMatchObject({ state: 'committed', answer: { status: 200, body: first.json() } });
  });
});

describe('the item of a book', () => {
  it('has the quantity as its stock and the price in cents', async () => {
    const { item } = await newBook();
    expect((await app.client.get(`/stock/find/${item}`)).json()).toEqual({ stock: 3, price: 1250 });
  });

  it('exists for a book that a transaction adds', async () => {
    const { book } = (await app.client.post('/books-2pc', BOOK.input)).json<{ book: { id: number } }>();
    expect(await stockOf(`book-${String(book.id)}`)).toBe(3);
  });

  it('given add and subtract, shows in the next read of the book and of the list, with another ETag', async () => {
    const { at, item } = await newBook();
    const quantities = async (): Promise<readonly unknown[]> => {
      const list = (await app.client.get('/books?limit=1000')).json<readonly { id: number; quantity: number }[]>();
      const one = await app.client.get(at);
      return [one.json()['quantity'], list.find(({ id }) => at.endsWith(`/${String(id)}`))?.quantity];
    };
    expect(await quantities()).toEqual([3, 3]);
    const etag = (await app.client.get(at)).header('etag');
    await post(`add/${item}/4`);
    expect(await quantities()).toEqual([7, 7]);
    await post(`subtract/${item}/2`);
    expect(await quantities()).toEqual([5, 5]);
    (await app.client.put(at, BOOK.changed, { 'if-match': etag })).problem(412);
    (await post(`subtract/${item}/6`)).problem(409);
    expect(await quantities()).toEqual([5, 5]);
  });

  it('follows the price and the quantity of PUT /books', async () => {
    const { at, item } = await newBook();
    await post(`add/${item}/4`);
    expect((await app.client.put(at, BOOK.changed)).json()).toMatchObject(BOOK.changed);
    expect((await app.client.get(`/stock/find/${item}`)).json()).toEqual({ stock: 2, price: 999 });
  });

  it('goes with its book, and does not come back', async () => {
    const { at, item } = await newBook();
    expect((await app.client.delete(at)).status).toBe(204);
    (await app.client.get(`/stock/find/${item}`)).problem(404);
    (await post(`add/${item}/1`)).problem(404);
    expect((await newBook()).item).not.toBe(item);
  });

  it('leaves lists of books in memory when another item changes', async () => {
    const id = await newItem();
    await app.client.get('/books');
    await post(`add/${id}/1`);
    expect((await app.client.get('/books')).header('x-cache')).toBe('memory');
  });
});
