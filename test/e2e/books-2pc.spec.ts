import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Answer, newKey } from './support/client.js';
import { BOOK, CUSTOMER } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const PATH = '/books-2pc';
const JSON_TYPE = { 'content-type': 'application/json' };

interface Added {
  readonly transactionId: string;
  readonly book: Readonly<Record<string, unknown>> & { readonly id: number };
  readonly customersUpdated: number;
}

const app = useSharedApp();

/** Path of a customer who was there before the test did anything. */
let probe: string;

beforeEach(async () => {
  probe = await app.client.add(CUSTOMER.path, CUSTOMER.input);
});

async function ordersOf(customer: string): Promise<number> {
  return (await app.client.get(customer)).json<{ orders_count: number }>().orders_count;
}

async function count(list: string): Promise<number> {
  return Number((await app.client.get(`${list}?limit=1`)).header('x-total-count'));
}

/** What must be the same in an answer and its replay. */
function essence(answer: Answer): readonly unknown[] {
  const headers = ['location', 'x-operation-id', 'x-commit', 'x-replicas-acked', 'content-type'];
  return [answer.status, answer.text, ...headers.map((name) => `${name}: ${answer.header(name)}`)];
}

/** All that a write could have changed. */
async function everything(): Promise<readonly unknown[]> {
  return [await ordersOf(probe), await count('/books'), await count('/transactions')];
}

describe('POST /books-2pc', () => {
  it('given a book, has added the book and one order for every customer when it answers', async () => {
    const other = await app.client.add(CUSTOMER.path, CUSTOMER.input);
    const customers = await count('/customers');
    const listed = await app.client.get('/books?limit=1000');
    for (let orders = 1; orders <= 3; orders += 1) {
      const created = await app.client.post(PATH, BOOK.input);
      const { transactionId, book, customersUpdated } = created.json<Added>();
      expect([created.status, customersUpdated]).toEqual([201, customers]);
      expect(transactionId).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
      expect([await ordersOf(probe), await ordersOf(other)]).toEqual([orders, orders]);
      expect(created.header('location')).toBe(`/books/${String(book.id)}`);
      expect((await app.client.get(created.header('location'))).json()).toEqual({ ...BOOK.input, id: book.id });
      const books = (await app.client.get('/books?limit=1000')).json<{ id: number }[]>();
      expect(books.map(({ id }) => id)).toEqual([
        ...listed.json<{ id: number }[]>().map(({ id }) => id),
        ...Array.from({ length: orders }, (_, n) => book.id - orders + 1 + n),
      ]);
    }
  });

  it('given concurrent changes of customers, counts the customers that exist at the commit', async () => {
    const before = (await app.client.post(PATH, BOOK.input)).json<Added>().customersUpdated;
    const late = await app.client.add(CUSTOMER.path, CUSTOMER.input);
    expect(await ordersOf(late)).toBe(0);
    expect((await app.client.post(PATH, BOOK.input)).json<Added>().customersUpdated).toBe(before + 1);
    expect(await ordersOf(late)).toBe(1);
    await app.client.delete(late);
    expect((await app.client.post(PATH, BOOK.input)).json<Added>().customersUpdated).toBe(before);
  });

  it('given a new book, answers with the log position of the change and without an ETag, because the body is not a resource', async () => {
    const created = await app.client.post(PATH, BOOK.input);
    const changed = await app.client.put(probe, CUSTOMER.changed);
    const [epoch, seq] = created.header('x-commit').split('.').map(Number);
    expect(changed.header('x-commit')).toBe(`${String(epoch)}.${String(seq! + 1)}`);
    expect([created.header('x-replicas-acked'), created.hasHeader('etag')]).toEqual(['0/0', false]);
  });

  it('given a write, reports it as an operation', async () => {
    const created = await app.client.post(PATH, BOOK.input);
    const id = created.header('x-operation-id');
    expect((await app.client.get(`/operations/${id}`)).json()).toEqual({
      operationId: id,
      state: 'committed',
      confirmed: true,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      answer: {
        status: 201,
        headers: {
          location: created.header('location'),
          'x-commit': created.header('x-commit'),
          'x-replicas-acked': '0/0',
        },
        body: created.json(),
      },
    });
  });

  it('given a trailing slash and fields that the server owns, behaves the same', async () => {
    const created = await app.client.post(`${PATH}/`, { id: 7, orders_count: 3, ...BOOK.input });
    expect([created.status, await ordersOf(probe)]).toEqual([201, 1]);
    expect(created.json<Added>().book.id).not.toBe(7);
  });

  it.each<[string, string | undefined, readonly string[]]>([
    ['no body at all', undefined, BOOK.fields],
    ['an empty object', '{}', BOOK.fields],
    ['an array', '[]', ['body']],
    ['no title', '{"author":"a","price":1,"quantity":1}', ['title']],
    ['a blank author', '{"title":"t","author":"  ","price":1,"quantity":1}', ['author']],
    ['half a cent', '{"title":"t","author":"a","price":0.005,"quantity":1}', ['price']],
    ['a number as text', '{"title":"t","author":"a","price":"1","quantity":1}', ['price']],
    ['half a book', '{"title":"t","author":"a","price":1,"quantity":0.5}', ['quantity']],
    ['a field it does not know', '{"title":"t","author":"a","price":1,"quantity":1,"colour":"x"}', ['colour']],
    ['a forbidden key', '{"title":"t","author":"a","price":1,"quantity":1,"__proto__":{}}', ['__proto__']],
  ])('given %s, refuses the field by name and writes nothing', async (_title, body, fields) => {
    const before = await everything();
    const asking = body === undefined ? {} : { body, headers: JSON_TYPE };
    (await app.client.send('POST', PATH, asking)).problem(400, ...fields);
    expect(await everything()).toEqual(before);
  });

  it.each([
    ['malformed JSON', { body: '{', headers: JSON_TYPE }, 400],
    ['text', { body: 'title=t', headers: { 'content-type': 'text/plain' } }, 415],
    ['more than 1 MiB', { body: 'x'.repeat(2 ** 20 + 1), headers: JSON_TYPE }, 413],
  ])('given %s, refuses it and writes nothing', async (_title, asking, status) => {
    const before = await everything();
    (await app.client.send('POST', PATH, asking)).problem(status);
    expect(await everything()).toEqual(before);
  });

  it.each(['GET', 'PUT', 'DELETE'])('given the method %s, answers 405', async (method) => {
    expect((await app.client.send(method, PATH)).problem(405).code).toBe('method-not-allowed');
  });
});

describe('the write concern of POST /books-2pc', () => {
  it.each(['all', 'majority', 'primary'])('given %s, is accepted', async (concern) => {
    const created = await app.client.post(PATH, BOOK.input, { 'x-write-concern': concern });
    expect([created.status, created.header('x-replicas-acked'), await ordersOf(probe)]).toEqual([201, '0/0', 1]);
  });

  it.each(['', 'ALL', 'none', 'all, primary'])(
    'given %j, is refused by name, and nothing is written',
    async (concern) => {
      const before = await everything();
      (await app.client.post(PATH, BOOK.input, { 'x-write-concern': concern })).problem(400, 'X-Write-Concern');
      expect(await everything()).toEqual(before);
    },
  );
});

describe('an Idempotency-Key of POST /books-2pc', () => {
  it('given a repeat after more customers were added, takes effect once and replays the same answer', async () => {
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.post(PATH, BOOK.input, key);
    await app.client.add(CUSTOMER.path, CUSTOMER.input);
    const replay = await app.client.post(PATH, BOOK.input, key);
    expect(essence(replay)).toEqual(essence(first));
    expect([first.header('idempotency-replayed'), replay.header('idempotency-replayed')]).toEqual(['', 'true']);
    expect(await ordersOf(probe)).toBe(1);
  });

  it('given fifty clients at once, takes effect once and gives all of them the same answer', async () => {
    const key = { 'idempotency-key': newKey() };
    const books = await count('/books');
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.client.post(PATH, BOOK.input, key)));
    expect(new Set(answers.map((answer) => JSON.stringify(essence(answer)))).size).toBe(1);
    expect(answers.filter((answer) => !answer.hasHeader('idempotency-replayed'))).toHaveLength(1);
    expect([answers[0]?.status, await ordersOf(probe), await count('/books')]).toEqual([201, 1, books + 1]);
  });

  it('given another body, is answered 422', async () => {
    const key = { 'idempotency-key': newKey() };
    await app.client.post(PATH, BOOK.input, key);
    expect((await app.client.post(PATH, BOOK.changed, key)).problem(422).code).toBe('idempotency-key-reused');
    expect(await ordersOf(probe)).toBe(1);
  });

  it('given POST /books too, counts there as a different key', async () => {
    const key = { 'idempotency-key': newKey() };
    const alone = await app.client.post('/books', BOOK.input, key);
    const together = await app.client.post(PATH, BOOK.input, key);
    expect([alone.status, together.status, together.hasHeader('idempotency-replayed')]).toEqual([201, 201, false]);
  });

  it('given a refused first request, is free for a valid one', async () => {
    const key = { 'idempotency-key': newKey() };
    (await app.client.post(PATH, {}, key)).problem(400);
    expect((await app.client.post(PATH, BOOK.input, key)).status).toBe(201);
  });
});

describe('many POST /books-2pc at once', () => {
  it('given a hundred, add a hundred books and a hundred orders', async () => {
    const books = await count('/books');
    const answers = await Promise.all(Array.from({ length: 100 }, () => app.client.post(PATH, BOOK.input)));
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    expect([await ordersOf(probe), await count('/books')]).toEqual([100, books + 100]);
    expect(new Set(answers.map((answer) => answer.json<Added>().book.id)).size).toBe(100);
  });
});
