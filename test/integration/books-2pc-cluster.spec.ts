import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from '../support/cluster.js';

const WRITES = 200;
const TEST_TIMEOUT_MS = 120_000;
const BOOK = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const JSON_TYPE = { 'content-type': 'application/json' };

interface Added {
  readonly transactionId: string;
  readonly book: { readonly id: number };
  readonly customersUpdated: number;
}

interface Answered<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

async function ask<T>(url: string, init: RequestInit = {}): Promise<Answered<T>> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as T };
}

function post<T>(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answered<T>> {
  return ask<T>(url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) });
}

describe('POST /books-2pc on the app with four replicas', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start();
  }, TEST_TIMEOUT_MS);

  afterAll(async () => {
    await cluster.end();
  });

  const addCustomer = async (): Promise<string> => {
    const customer = { name: 'Ada Lovelace', email: 'ada@example.org' };
    const { headers } = await post(`${cluster.app.url}/customers`, customer);
    return headers.get('location') ?? '';
  };
  const nodes = (): readonly string[] => [cluster.app.url, ...cluster.replicas.map(({ url }) => url)];
  const ordersOn = async (node: string, customer: string, minSeq = ''): Promise<number> => {
    const query = minSeq === '' ? '' : `?min_seq=${minSeq}`;
    return (await ask<{ orders_count: number }>(`${node}${customer}${query}`)).body.orders_count;
  };
  const last = (commits: readonly string[]): string => {
    const seqOf = (commit: string): number => Number(commit.split('.')[1]);
    return [...commits].sort((one, other) => seqOf(one) - seqOf(other)).at(-1) ?? '';
  };

  it(
    `given ${String(WRITES)} at once, add as many books, and as many orders to a customer on every node`,
    async () => {
      const customer = await addCustomer();
      const before = Number((await ask(`${cluster.app.url}/books?limit=1`)).headers.get('x-total-count'));
      const answers = await Promise.all(
        Array.from({ length: WRITES }, () => post<Added>(`${cluster.app.url}/books-2pc`, BOOK)),
      );

      expect(answers.map(({ status }) => status)).toEqual(Array<number>(WRITES).fill(201));
      expect(answers.map(({ headers }) => headers.get('x-replicas-acked'))).toEqual(Array<string>(WRITES).fill('4/4'));
      expect(new Set(answers.map(({ body }) => body.book.id)).size).toBe(WRITES);
      expect(new Set(answers.map(({ headers }) => headers.get('x-commit'))).size).toBe(WRITES);
      const books = Number((await ask(`${cluster.app.url}/books?limit=1`)).headers.get('x-total-count'));
      expect(books - before).toBe(WRITES);
      const minSeq = last(answers.map(({ headers }) => headers.get('x-commit') ?? ''));
      for (const node of nodes()) {
        expect([node, await ordersOn(node, customer, node === cluster.app.url ? '' : minSeq)]).toEqual([node, WRITES]);
      }
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given the X-Commit of an answer, a replica returns the change',
    async () => {
      const customer = await addCustomer();
      for (let orders = 1; orders <= 20; orders += 1) {
        const { status, headers } = await post<Added>(`${cluster.app.url}/books-2pc`, BOOK);
        const minSeq = headers.get('x-commit') ?? '';
        const found = await Promise.all(cluster.replicas.map(({ url }) => ordersOn(url, customer, minSeq)));
        expect([status, found]).toEqual([201, Array<number>(4).fill(orders)]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a repeat after kill -9 of the app, replays the answer and counts once',
    async () => {
      const customer = await addCustomer();
      const key = { 'idempotency-key': 'before the kill' };
      const first = await post<Added>(`${cluster.app.url}/books-2pc`, BOOK, key);
      await cluster.app.kill();
      await cluster.revive();
      await cluster.settled();
      const replay = await post<Added>(`${cluster.app.url}/books-2pc`, BOOK, key);

      expect(replay.headers.get('idempotency-replayed')).toBe('true');
      expect([replay.status, replay.body]).toEqual([first.status, first.body]);
      for (const name of ['location', 'x-commit', 'x-operation-id', 'x-replicas-acked']) {
        expect([name, replay.headers.get(name)]).toEqual([name, first.headers.get(name)]);
      }
      expect(await ordersOn(cluster.app.url, customer)).toBe(1);
      const transaction = await ask<{ state: string }>(`${cluster.app.url}/transactions/${first.body.transactionId}`);
      expect([transaction.status, transaction.body.state]).toEqual([200, 'committed']);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given fewer replicas than needed, answers 503 and writes nothing in either store',
    async () => {
      const customer = await addCustomer();
      const before = Number((await ask(`${cluster.app.url}/books?limit=1`)).headers.get('x-total-count'));
      await Promise.all(cluster.replicas.slice(0, 3).map((replica) => replica.kill()));
      await cluster.settled(1);
      const refused = await post<{ code: string }>(`${cluster.app.url}/books-2pc`, BOOK);

      expect([refused.status, refused.body.code]).toEqual([503, 'too-few-replicas']);
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(await ordersOn(cluster.app.url, customer)).toBe(0);
      const after = Number((await ask(`${cluster.app.url}/books?limit=1`)).headers.get('x-total-count'));
      expect(after).toBe(before);
      await cluster.revive();
      await cluster.settled();
      expect((await post(`${cluster.app.url}/books-2pc`, BOOK)).status).toBe(201);
      expect(await ordersOn(cluster.app.url, customer)).toBe(1);
    },
    TEST_TIMEOUT_MS,
  );
});
