import {
  describeRequest,
  type Exchange,
  idToldIn,
  type OpenExchange,
  type TransactionAction,
  type TransactionClient,
  transactionIn,
} from './transaction-client.js';

export interface StoredCustomer {
  readonly content: string;
  readonly ordersCount: number;
}

/** What is stored, as one node shows it. */
export interface NodeState {
  readonly customers: ReadonlyMap<number, StoredCustomer>;
}

/** What is stored, as the app shows it. */
export interface StoresState extends NodeState {
  readonly books: ReadonlyMap<number, string>;
  /** By id, of all that there may be. */
  readonly usersInSql: ReadonlyMap<number, string>;
  readonly usersInDocuments: ReadonlyMap<number, string>;
  /** State by id. */
  readonly transactions: ReadonlyMap<string, string>;
}

const IN_SQL: readonly TransactionAction[] = ['user in both', 'user in SQL'];
const IN_DOCUMENTS: readonly TransactionAction[] = ['user in both', 'user in documents'];
const ENDED: ReadonlySet<string> = new Set(['committed', 'aborted']);

/**
 * One sentence for each broken promise, judged only by the answers to the clients and by the stored data. A confirmed request
 * has one effect, a refused request none, and an open request at most one. A transaction is in both of its stores or in none,
 * and no transaction is left undecided.
 */
export function auditStores(clients: readonly TransactionClient[], state: StoresState): string[] {
  const customers = new Map([...state.customers].map(([id, { content }]) => [id, content]));
  return [
    ...clients.flatMap(({ complaints }) => complaints),
    ...presence('books', state.books, clients, ['book', 'book and bump']),
    ...presence('customers', customers, clients, ['customer']),
    ...presence('SQL users', state.usersInSql, clients, IN_SQL),
    ...presence('document users', state.usersInDocuments, clients, IN_DOCUMENTS),
    ...usersInOneStore(clients, state),
    ...undecided(clients, state.transactions),
    ...increments('the app', clients, state.books, state),
    ...customersUpdated(clients, state),
  ];
}

/** On a replica, or again on the app: each customer counts the books that were committed with a + 1 after it. */
export function increments(
  node: string,
  clients: readonly TransactionClient[],
  books: ReadonlyMap<number, string>,
  { customers }: NodeState,
): string[] {
  const stored = new Set(books.values());
  const bumps = exchangesOf(clients, ['book and bump']).filter(({ request }) => stored.has(request.content));
  return doneBy(clients, ['customer']).flatMap((created) => {
    const id = idToldIn(created);
    const count = customers.get(id)?.ordersCount;
    if (count === undefined) return [`customers/${String(id)} is not on ${node}`];
    const min = bumps.filter(({ sentAt }) => sentAt > created.answeredAt).length;
    const max = bumps.filter(({ answeredAt = Infinity }) => answeredAt > created.sentAt).length;
    if (count >= min && count <= max) return [];
    const range = min === max ? String(min) : `from ${String(min)} to ${String(max)}`;
    return [
      `customers/${String(id)} has orders_count ${String(count)} on ${node}; the books that are there make it ${range}`,
    ];
  });
}

function presence(
  name: string,
  stored: ReadonlyMap<number, string>,
  clients: readonly TransactionClient[],
  actions: readonly TransactionAction[],
): string[] {
  const unclaimed = new Map(stored);
  const lost = doneBy(clients, actions).flatMap((exchange) => {
    const id = idToldIn(exchange);
    const found = stored.get(id);
    unclaimed.delete(id);
    if (found === exchange.request.content) return [];
    const is = found === undefined ? 'gone' : `"${found}"`;
    return [`${name}/${String(id)} should be of ${describeRequest(exchange.request)} and is ${is}`];
  });
  const mayBeThere = new Set(openBy(clients, actions).map(({ request }) => request.content));
  const refused = new Set(clients.flatMap((client) => client.refused.map(({ request }) => request.content)));
  const extra = [...unclaimed].flatMap(([id, content]) => {
    if (mayBeThere.delete(content)) return [];
    const why = refused.has(content) ? 'its client was refused' : 'no client received this answer';
    return [`${name}/${String(id)} "${content}" exists, but ${why}`];
  });
  return [...lost, ...extra];
}

function usersInOneStore(clients: readonly TransactionClient[], state: StoresState): string[] {
  const contents = new Set(exchangesOf(clients, ['user in both']).map(({ request }) => request.content));
  const ids = new Set([...state.usersInSql.keys(), ...state.usersInDocuments.keys()]);
  return [...ids].flatMap((id) => {
    const [sql, document] = [state.usersInSql.get(id), state.usersInDocuments.get(id)];
    const isOfBoth = [sql, document].some((content) => content !== undefined && contents.has(content));
    if (!isOfBoth || sql === document) return [];
    return [`user ${String(id)} is ${quoted(sql)} in SQL and ${quoted(document)} in the documents`];
  });
}

function undecided(clients: readonly TransactionClient[], transactions: StoresState['transactions']): string[] {
  const open = [...transactions]
    .filter(([, state]) => !ENDED.has(state))
    .map(([id, state]) => `transaction ${id} is ${state}`);
  const done = doneBy(clients, ['book and bump', 'user in both']).map((exchange) => ({
    request: exchange.request,
    id: transactionIn(exchange) ?? 'without an id',
  }));
  const seen = new Set<string>();
  const wrong = done.flatMap(({ id, request }) => {
    const isTwice = seen.has(id);
    seen.add(id);
    const state = transactions.get(id);
    if (isTwice) return [`${describeRequest(request)} received the transaction ${id} of another request`];
    if (state === 'committed') return [];
    return [`${describeRequest(request)} was done by transaction ${id}, which is ${state ?? 'unknown'}`];
  });
  return [...open, ...wrong];
}

/** `customersUpdated` counts the customers at the position of the commit. */
function customersUpdated(clients: readonly TransactionClient[], { customers }: NodeState): string[] {
  const stored = new Set([...customers.values()].map(({ content }) => content));
  const created = exchangesOf(clients, ['customer']).filter(({ request }) => stored.has(request.content));
  return doneBy(clients, ['book and bump']).flatMap(({ request, reply, sentAt, answeredAt }) => {
    const told = (JSON.parse(reply.body) as { readonly customersUpdated: number }).customersUpdated;
    const min = created.filter((one) => one.answeredAt !== undefined && one.answeredAt < sentAt).length;
    const max = created.filter((one) => one.sentAt < answeredAt).length;
    if (told >= min && told <= max) return [];
    return [`${describeRequest(request)} says ${String(told)} customers; there were ${String(min)} to ${String(max)}`];
  });
}

function doneBy(clients: readonly TransactionClient[], actions: readonly TransactionAction[]): Exchange[] {
  return clients.flatMap(({ done }) => done).filter(({ request }) => actions.includes(request.action));
}

function openBy(clients: readonly TransactionClient[], actions: readonly TransactionAction[]): OpenExchange[] {
  return clients
    .flatMap(({ open }) => (open === undefined ? [] : [open]))
    .filter(({ request }) => actions.includes(request.action));
}

/** All that may have been done: what is open has no `answeredAt`. */
function exchangesOf(
  clients: readonly TransactionClient[],
  actions: readonly TransactionAction[],
): (OpenExchange & { readonly answeredAt?: number })[] {
  return [...doneBy(clients, actions), ...openBy(clients, actions)];
}

function quoted(content: string | undefined): string {
  return content === undefined ? 'absent' : `"${content}"`;
}
