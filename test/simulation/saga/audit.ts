import { missingSteps } from '../../../src/protocols/saga/core/comparison.js';
import type { SagaDefinition } from '../../../src/protocols/saga/index.js';
import type { FileState, Purchase } from './shop-model.js';

export type Files = Readonly<Record<'orders' | 'payment' | 'stock', FileState>>;

/** What the client of a checkout was answered. */
export type Answers = ReadonlyMap<number, { readonly state: 'completed' | 'refused'; readonly reason: unknown }>;

/** Describes a broken promise in the durable files at any moment; undefined when there is none. */
export function auditFiles(files: Files, answers: Answers): string | undefined {
  return auditSums(files) ?? auditOrders(files) ?? auditAnswers(files, answers);
}

/** Describes what is not at an end when nothing is left to do. */
export function auditAtRest(files: Files): string | undefined {
  const { orders, payment } = files;
  for (const [name, { rows }] of Object.entries(files)) {
    const open = [...rows.values()].flat().find(({ delivery }) => delivery === 'pending' || delivery === 'parked');
    if (open) return `termination: ${open.event} of saga ${open.saga.number} is ${open.delivery} in ${name}`;
  }
  for (const [name, { state, saga }] of orders.orders) {
    if (state === 'checking-out') return `termination: ${name} is still checked out by saga ${String(saga)}`;
  }
  for (const number of orders.rows.keys()) {
    if (payment.holds.has(number)) return `P6: credit is still held for saga ${number}`;
    if (orders.superseded.has(number)) continue;
    const isEnded = orders.rows.get(number)!.some(({ delivery }) => delivery === 'end');
    if (!isEnded) return `termination: saga ${number} has no end`;
  }
  return undefined;
}

/** What the comparison of the files finds. */
export function missingRows(files: Files, definition: SagaDefinition): string | undefined {
  const numbers = new Set(Object.values(files).flatMap(({ rows }) => [...rows.keys()]));
  for (const number of numbers) {
    const rows = Object.entries(files).flatMap(([by, file]) =>
      (file.rows.get(number) ?? []).map((row) => ({ ...row, by, sagaId: row.saga.id })),
    );
    const [missing] = missingSteps(definition, rows);
    if (missing) return `${missing.by} lacks ${missing.lacks} of saga ${number}, proved by ${missing.provedBy}`;
  }
  return undefined;
}

function auditSums({ payment, stock }: Files): string | undefined {
  for (const [name, { credit, held, charged, funded }] of payment.accounts) {
    if (Math.min(credit, held, charged) < 0 || credit + held + charged !== funded) {
      return `P6: ${name} has ${credit} + ${held} held + ${charged} charged of ${funded}`;
    }
  }
  for (const [name, { stock: left, sold, delivered }] of stock.items) {
    if (Math.min(left, sold) < 0 || left + sold !== delivered) {
      return `P6: ${name} has ${left} + ${sold} sold of ${delivered}`;
    }
  }
  const held = new Map<string, number>();
  const charged = new Map<string, number>();
  for (const rows of payment.rows.values()) {
    const done = new Set(rows.map(({ event }) => event));
    if (!done.has('credit-authorised')) continue;
    const { user, total } = rows[0]!.data as unknown as Purchase;
    const isCharged = done.has('credit-captured') && !done.has('credit-refunded');
    if (isCharged) charged.set(user, (charged.get(user) ?? 0) + total);
    else if (!done.has('credit-voided')) held.set(user, (held.get(user) ?? 0) + total);
  }
  for (const [name, account] of payment.accounts) {
    if (account.held !== (held.get(name) ?? 0))
      return `P4: ${name} has ${account.held} held for ${String(held.get(name))}`;
    if (account.charged !== (charged.get(name) ?? 0)) return `P4: ${name} is charged ${account.charged}`;
  }
  const sold = new Map<string, number>();
  for (const rows of stock.rows.values()) {
    const done = new Set(rows.map(({ event }) => event));
    if (!done.has('stock-taken') || done.has('stock-put-back')) continue;
    for (const [item, quantity] of (rows[0]!.data as unknown as Purchase).lines) {
      sold.set(item, (sold.get(item) ?? 0) + quantity);
    }
  }
  for (const [name, item] of stock.items) {
    if (item.sold !== (sold.get(name) ?? 0)) return `P4: ${item.sold} of ${name} are sold to ${String(sold.get(name))}`;
  }
  return undefined;
}

function auditOrders({ orders, payment, stock }: Files): string | undefined {
  const has = ({ rows }: FileState, number: number, event: string): boolean =>
    rows.get(number)?.some((row) => row.event === event) === true;
  for (const [name, { state, saga }] of orders.orders) {
    if (state !== 'paid') continue;
    if (!has(payment, saga!, 'credit-captured')) return `P6: ${name} is paid, and its credit is only held`;
    if (!has(stock, saga!, 'stock-taken')) return `P6: ${name} is paid, and its stock is not taken`;
  }
  for (const number of stock.rows.keys()) {
    if (has(stock, number, 'stock-taken') && !has(payment, number, 'credit-authorised')) {
      return `saga ${number} has taken stock, and nobody has authorised it`;
    }
  }
  for (const number of payment.rows.keys()) {
    if (has(payment, number, 'credit-captured') && !has(stock, number, 'stock-taken')) {
      return `saga ${number} has charged a user, and its stock is not taken`;
    }
  }
  for (const number of orders.superseded) {
    if (has(payment, number, 'credit-authorised')) return `saga ${number} is superseded, and credit is held for it`;
  }
  for (const number of payment.holds.keys()) {
    const isLocked = [...orders.orders.values()].some(({ saga, state }) => saga === number && state === 'checking-out');
    if (!isLocked) return `saga ${number} holds credit for an order that it does not lock`;
  }
  return undefined;
}

function auditAnswers({ orders, payment, stock }: Files, answers: Answers): string | undefined {
  for (const [number, { state }] of answers) {
    const isPaid = [...orders.orders.values()].some((order) => order.saga === number && order.state === 'paid');
    const isTaken = stock.rows.get(number)?.some(({ event }) => event === 'stock-taken') === true;
    const done = new Set(payment.rows.get(number)?.map(({ event }) => event));
    const isGiven = !done.has('credit-authorised') || done.has('credit-voided');
    if (state === 'completed' && !(isPaid && isTaken && done.has('credit-captured'))) {
      return `P1: saga ${number} was answered as paid, and is not`;
    }
    if (state === 'refused' && (isPaid || isTaken || !isGiven)) {
      return `P7: saga ${number} was answered as refused, and has taken something`;
    }
  }
  return undefined;
}
