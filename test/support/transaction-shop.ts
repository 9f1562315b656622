import { isDeepStrictEqual } from 'node:util';
import type { NodeState, StoredCustomer, StoresState } from './transaction-audit.js';
import {
  idToldIn,
  type SendTransaction,
  type TransactionAction,
  type TransactionClient,
  type TransactionRequest,
} from './transaction-client.js';
import { contentOf, inputOf, type Refusal, ShopClient } from './shop-client.js';

const PATHS: Readonly<Record<TransactionAction, string>> = {
  'book and bump': '/books-2pc',
  book: '/books',
  customer: '/customers',
  'user in both': '/sql_mongo/users',
  'user in SQL': '/sql/users',
  'user in documents': '/nosql/users',
};
const AT_ONCE = 50;
/** Allotted since anyone was told one. */
const MAX_LOST_IDS = 100;

/** The app, or for its state any node, over HTTP, as clients of transactions use it. One per process incarnation; `close` it. */
export class TransactionShop {
  private readonly http: ShopClient;
  /** How often each status was answered; "none" stands for no answer. */
  readonly statuses = new Map<number | 'none', number>();

  constructor(url: string) {
    this.http = new ShopClient(url);
  }

  /** What each 503 said. */
  get refusals(): readonly Refusal[] {
    return this.http.refusals;
  }

  readonly send: SendTransaction = async (request) => {
    const isAddressed = request.action === 'user in documents';
    const path = isAddressed ? `${PATHS[request.action]}/${String(request.id)}` : PATHS[request.action];
    const reply = await this.http.deliver({ key: request.key, method: 'POST', path, body: bodyOf(request) });
    const status = reply?.status ?? 'none';
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    return reply;
  };

  /** Throws unless it is answered 200. */
  async read<T>(path: string): Promise<T> {
    const { status, body } = await this.http.get(path);
    if (status !== 200) throw new Error(`GET ${path}: ${String(status)} ${body}`);
    return JSON.parse(body) as T;
  }

  /** Throws unless it is answered 200. */
  async ask<T>(path: string, body: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const reply = await this.http.deliver({ key: path, method: 'POST', path, body });
    if (reply?.status !== 200) throw new Error(`POST ${path}: ${String(reply?.status)} ${reply?.body ?? ''}`);
    return JSON.parse(reply.body) as T;
  }

  async node(): Promise<NodeState> {
    const rows = await this.http.rows('/customers');
    const customers = rows.map((row): [number, StoredCustomer] => {
      return [Number(row['id']), { content: contentOf('customers', row), ordersCount: Number(row['orders_count']) }];
    });
    return { customers: new Map(customers) };
  }

  /** All that there is, users as far as ids go that any of these clients may have been given. */
  async stores(clients: readonly TransactionClient[]): Promise<StoresState> {
    const books = await this.http.rows('/books');
    const transactions = await this.http.rows('/transactions');
    const ids = userIdsOf(clients);
    return {
      ...(await this.node()),
      books: new Map(books.map((row) => [Number(row['id']), contentOf('books', row)])),
      usersInSql: await this.users('/sql/users', ids),
      usersInDocuments: await this.users('/nosql/users', ids),
      transactions: new Map(transactions.map((row) => [String(row['id']), String(row['state'])])),
    };
  }

  /**
   * What is wrong with the operations that 202 answers have named, once their requests were repeated: one that was done
   * has the answer that the repeat got, and none is still running.
   */
  async unconfirmed(clients: readonly TransactionClient[]): Promise<string[]> {
    const answers = clients.flatMap(({ unconfirmed, done }) =>
      unconfirmed.map(async ({ operationId, request }) => {
        const { status, body } = await this.http.get(`/operations/${operationId}`);
        const told = done.find((exchange) => exchange.request.key === request.key)?.reply.body;
        const operation = JSON.parse(body) as { readonly state?: string; readonly answer?: { readonly body: unknown } };
        const isSame = told !== undefined && isDeepStrictEqual(operation.answer?.body, JSON.parse(told));
        if (status === 404 || operation.state === 'aborted' || (operation.state === 'committed' && isSame)) return [];
        return [`operation ${operationId} is ${body}; its request got ${told ?? 'another answer'}`];
      }),
    );
    return (await Promise.all(answers)).flat();
  }

  close(): Promise<void> {
    return this.http.close();
  }

  private async users(path: string, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const found = new Map<number, string>();
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      await Promise.all(
        ids.slice(from, from + AT_ONCE).map(async (id) => {
          const { status, body } = await this.http.get(`${path}/${String(id)}`);
          if (status === 404) return;
          if (status !== 200) throw new Error(`GET ${path}/${String(id)}: ${String(status)} ${body}`);
          found.set(id, userIn(JSON.parse(body) as Record<string, unknown>));
        }),
      );
    }
    return found;
  }
}

/** Up to well above the highest that anyone was told or has chosen: ids are allotted in rising order. */
function userIdsOf(clients: readonly TransactionClient[]): readonly number[] {
  const isOfUser = ({ request }: { readonly request: TransactionRequest }): boolean =>
    request.action.startsWith('user');
  const told = clients.flatMap(({ done }) => done.filter(isOfUser).map(idToldIn));
  const exchanges = clients.flatMap(({ done, refused, open }) => [...done, ...refused, ...(open ? [open] : [])]);
  const ofUsers = exchanges.filter(isOfUser);
  if (ofUsers.length === 0) return [];
  const chosen = ofUsers.map(({ request }) => request.id ?? 0);
  const highest = [...told, ...chosen].reduce((max, id) => Math.max(max, id), 0);
  return Array.from({ length: highest + MAX_LOST_IDS }, (_, index) => index + 1);
}

function bodyOf({ action, content, id }: TransactionRequest): Readonly<Record<string, unknown>> {
  if (action === 'customer') return inputOf('customers', content);
  if (!action.startsWith('user')) return inputOf('books', content);
  const names = { firstname: content, lastname: `of ${content}` };
  return action === 'user in both' && id !== undefined ? { ...names, id } : names;
}

/** Both names follow from the content, so that a mixture of two writes is seen. */
function userIn({ firstname, lastname }: Readonly<Record<string, unknown>>): string {
  const content = String(firstname);
  return lastname === `of ${content}` ? content : `a mixture: ${content} ${String(lastname)}`;
}
