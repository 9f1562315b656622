import type { SagaData, SagaRef, StepOutcome, StepRecord } from '../../../src/protocols/saga/index.js';

export interface Account {
  readonly credit: number;
  readonly held: number;
  readonly charged: number;
  readonly funded: number;
}

export interface Item {
  readonly stock: number;
  readonly sold: number;
  readonly delivered: number;
}

export interface Order {
  readonly state: 'open' | 'checking-out' | 'paid';
  readonly saga: number | undefined;
}

/** What a checkout works on, as its first commit freezes it. */
export interface Purchase {
  readonly order: string;
  readonly user: string;
  readonly lines: readonly (readonly [item: string, quantity: number])[];
  readonly total: number;
}

/** One participant's file. Values are replaced, never changed, so that a shallow copy is a copy. */
export interface FileState {
  readonly rows: Map<number, readonly StepRecord[]>;
  readonly accounts: Map<string, Account>;
  readonly holds: Map<number, number>;
  readonly items: Map<string, Item>;
  readonly orders: Map<string, Order>;
  readonly superseded: Set<number>;
}

export function copyOf(state: FileState): FileState {
  const { rows, accounts, holds, items, orders, superseded } = state;
  return {
    ...{ rows: new Map(rows), accounts: new Map(accounts), holds: new Map(holds), items: new Map(items) },
    ...{ orders: new Map(orders), superseded: new Set(superseded) },
  };
}

export function emptyState(): FileState {
  return {
    ...{ rows: new Map(), accounts: new Map(), holds: new Map(), items: new Map(), orders: new Map() },
    superseded: new Set(),
  };
}

type Work = (state: FileState, saga: SagaRef, data: SagaData & Purchase) => StepOutcome;

/** The local work of each step, on the state of its participant. */
export const WORKS: Readonly<Record<string, Work>> = {
  authorise: ({ accounts, holds }, saga, data) => {
    const account = accounts.get(data.user)!;
    const { credit, held } = account;
    if (credit < data.total) {
      if (credit + held >= data.total) return { later: 'credit-held' };
      return { event: 'credit-refused', data: { ...data, reason: 'too-little-credit' } };
    }
    accounts.set(data.user, { ...account, credit: credit - data.total, held: held + data.total });
    holds.set(saga.number, data.total);
    return { event: 'credit-authorised', data };
  },
  void: ({ accounts, holds }, saga, data) => {
    const account = accounts.get(data.user)!;
    const amount = holds.get(saga.number) ?? 0;
    accounts.set(data.user, { ...account, credit: account.credit + amount, held: account.held - amount });
    holds.delete(saga.number);
    return { event: 'credit-voided', data };
  },
  capture: ({ accounts, holds }, saga, data) => {
    const account = accounts.get(data.user)!;
    accounts.set(data.user, { ...account, held: account.held - data.total, charged: account.charged + data.total });
    holds.delete(saga.number);
    return { event: 'credit-captured', data };
  },
  refund: ({ accounts, holds }, saga, data) => {
    const account = accounts.get(data.user)!;
    accounts.set(data.user, { ...account, held: account.held + data.total, charged: account.charged - data.total });
    holds.set(saga.number, data.total);
    return { event: 'credit-refunded', data };
  },
  take: ({ items }, _, data) => {
    if (data.lines.some(([item, quantity]) => items.get(item)!.stock < quantity)) {
      return { event: 'stock-refused', data: { ...data, reason: 'too-little-stock' } };
    }
    moveStock(items, data.lines, 1);
    return { event: 'stock-taken', data };
  },
  'put-back': ({ items }, _, data) => {
    moveStock(items, data.lines, -1);
    return { event: 'stock-put-back', data };
  },
  'mark-paid': ({ orders }, saga, data) => {
    if (orders.get(data.order)?.saga === saga.number) orders.set(data.order, { state: 'paid', saga: saga.number });
    return { event: 'order-paid', data };
  },
  unlock: ({ orders }, saga, data) => {
    if (orders.get(data.order)?.saga === saga.number) orders.set(data.order, { state: 'open', saga: undefined });
    return { event: 'order-unlocked', data };
  },
};

function moveStock(items: FileState['items'], lines: Purchase['lines'], times: number): void {
  for (const [name, quantity] of lines) {
    const item = items.get(name)!;
    const moved = quantity * times;
    items.set(name, { ...item, stock: item.stock - moved, sold: item.sold + moved });
  }
}
