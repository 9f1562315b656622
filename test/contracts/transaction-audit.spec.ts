import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Reply } from '../support/audited-client.js';
import { SeededRandom } from '../support/seeded-random.js';
import { auditStores, type StoredCustomer, type StoresState } from '../support/transaction-audit.js';
import {
  Meeting,
  type SendTransaction,
  TransactionClient,
  type TransactionRequest,
} from '../support/transaction-client.js';

type Plant =
  | 'keep'
  | 'refuse'
  | 'refuse and keep'
  | 'lose the book'
  | 'book twice'
  | 'no bump'
  | 'bump and refuse'
  | 'SQL only'
  | 'documents only'
  | 'in doubt'
  | 'same transaction'
  | 'miscount'
  | 'no answer'
  | 'forget key';

/** Two stores that keep every promise except the one that a test breaks in one request. */
class PlantedStores implements StoresState {
  readonly books = new Map<number, string>();
  readonly customers = new Map<number, StoredCustomer>();
  readonly usersInSql = new Map<number, string>();
  readonly usersInDocuments = new Map<number, string>();
  readonly transactions = new Map<string, string>();
  readonly answers = new Map<string, Reply>();
  plant: (request: TransactionRequest) => Plant = () => 'keep';
  private nextId = 100;

  readonly send: SendTransaction = (request) => {
    const known = this.answers.get(request.key);
    if (known) return Promise.resolve(known);
    const planted = this.plant(request);
    const id = (this.nextId += 2);
    if (planted.includes('refuse')) {
      if (planted === 'refuse and keep') this.books.set(id, request.content);
      if (planted === 'bump and refuse') this.bump();
      return Promise.resolve({ status: 503, body: '{}' });
    }
    const reply = { status: 201, body: JSON.stringify(this.take(request, id, planted)) };
    if (planted !== 'forget key') this.answers.set(request.key, reply);
    return Promise.resolve(planted === 'no answer' ? undefined : reply);
  };

  private take({ action, content, id: chosen }: TransactionRequest, id: number, planted: Plant): unknown {
    const transactionId = planted === 'same transaction' ? 'tx' : `tx ${String(id)}`;
    if (action === 'customer') {
      this.customers.set(id, { content, ordersCount: 0 });
      return { id };
    }
    if (action === 'book' || action === 'book and bump') {
      if (planted !== 'lose the book') this.books.set(id, content);
      if (planted === 'book twice') this.books.set(id + 1, content);
      if (action === 'book') return { id };
      if (planted !== 'no bump') this.bump();
      this.transactions.set(transactionId, planted === 'in doubt' ? 'in-doubt' : 'committed');
      return { transactionId, book: { id }, customersUpdated: this.customers.size + (planted === 'miscount' ? 1 : 0) };
    }
    const userId = chosen === undefined ? id : 1_000 + id;
    if (action !== 'user in documents' && planted !== 'documents only') this.usersInSql.set(userId, content);
    if (action !== 'user in SQL' && planted !== 'SQL only') this.usersInDocuments.set(userId, content);
    this.transactions.set(transactionId, 'committed');
    return { id: userId, transactionId };
  }

  private bump(): void {
    for (const [id, { content, ordersCount }] of this.customers) {
      this.customers.set(id, { content, ordersCount: ordersCount + 1 });
    }
  }
}

describe('the audit of writes to two stores', () => {
  let clients: readonly TransactionClient[];
  let stores: PlantedStores;

  beforeEach(() => {
    const meeting = new Meeting();
    const random = new SeededRandom(1);
    clients = ['first', 'second'].map((name) => new TransactionClient(name, random, meeting));
    stores = new PlantedStores();
  });

  const writeAll = async (): Promise<string[]> => {
    if (clients[0]!.open === undefined) await clients[0]!.write(stores.send, 'customer');
    for (let left = 60; left > 0; left -= 1) {
      for (const client of clients) if (client.open === undefined) await client.write(stores.send);
    }
    return auditStores(clients, stores);
  };
  const once = (what: Plant, action: TransactionRequest['action'] = 'book and bump'): void => {
    let left = 5;
    stores.plant = (request) => (request.action === action && (left -= 1) === 0 ? what : 'keep');
  };

  it('given stores that keep their promises, finds nothing', async () => {
    expect(await writeAll()).toEqual([]);
    for (const client of clients) await client.replay(stores.send, 40);
    expect(clients.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(clients.flatMap(({ done }) => done)).toHaveLength(121);
  });

  it('given refused requests without an effect, finds nothing', async () => {
    once('refuse');
    expect(await writeAll()).toEqual([]);
    expect(clients.flatMap(({ refused }) => refused)).toHaveLength(1);
  });

  it.each<[Plant, TransactionRequest['action'], RegExp]>([
    ['lose the book', 'book and bump', /^books\/\d+ should be of book and bump with key ".*" and is gone$/],
    ['lose the book', 'book', /^books\/\d+ should be of book with key ".*" and is gone$/],
    ['book twice', 'book and bump', /^books\/\d+ ".*" exists, but no client received this answer$/],
    ['refuse and keep', 'book and bump', /^books\/\d+ ".*" exists, but its client was refused$/],
    ['no bump', 'book and bump', /has orders_count (\d+) on the app; the books that are there make it \d+$/],
    ['bump and refuse', 'book and bump', /has orders_count (\d+) on the app; the books that are there make it \d+$/],
    ['SQL only', 'user in both', /^document users\/\d+ should be of user in both .* and is gone$/],
    ['documents only', 'user in both', /^SQL users\/\d+ should be of user in both .* and is gone$/],
    ['in doubt', 'book and bump', /^transaction tx \d+ is in-doubt$/],
    ['miscount', 'book and bump', /says \d+ customers; there were \d+ to \d+$/],
  ])('given "%s" for one %s, finds it', async (plant, action, complaint) => {
    once(plant, action);

    expect(await writeAll()).toContainEqual(expect.stringMatching(complaint));
  });

  it('given one transaction id for two requests, finds it', async () => {
    stores.plant = () => 'same transaction';

    expect(await writeAll()).toContainEqual(expect.stringMatching(/received the transaction tx of another request$/));
  });

  it('given an unanswered user that exists in only one store, finds it', async () => {
    stores.send({ key: 'other', action: 'user in both', content: 'by other', id: undefined }).catch(() => undefined);
    stores.usersInDocuments.clear();
    clients[0]!.open = {
      request: { key: 'other', action: 'user in both', content: 'by other', id: undefined },
      sentAt: 0,
    };

    expect(auditStores(clients, stores)).toContainEqual(
      expect.stringMatching(/^user \d+ is "by other" in SQL and absent in the documents$/),
    );
  });

  it('given a forgotten key, finds the different answer to its repetition', async () => {
    stores.plant = () => 'forget key';
    await writeAll();
    stores.plant = () => 'keep';
    for (const client of clients) await client.replay(stores.send, 40);

    expect(clients.flatMap(({ complaints }) => complaints)[0]).toMatch(/was answered 201 .* and, when repeated, 201/);
  });

  it('given a request without an answer, accepts either outcome, then exactly one effect of its repetition', async () => {
    once('no answer');
    expect(await writeAll()).toEqual([]);
    const open = clients.find((client) => client.open !== undefined)!;
    expect(await open.repeatOpen(stores.send)).toBe(true);

    expect(await writeAll()).toEqual([]);
  });

  it('given a request without an answer whose repetition has a second effect, finds it', async () => {
    once('no answer');
    await writeAll();
    const open = clients.find((client) => client.open !== undefined)!;
    stores.answers.clear();
    await open.repeatOpen(stores.send);

    expect(auditStores(clients, stores)).toContainEqual(
      expect.stringMatching(/exists, but no client received this answer$/),
    );
  });
});
