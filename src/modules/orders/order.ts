import { AppError } from '../../kernel/index.js';

export interface OrderLine {
  readonly itemId: string;
  readonly quantity: number;
  /** Of one piece, in the smallest unit: as of addItem, and since a checkout as that checkout has charged it. */
  readonly price: number;
}

export interface Order {
  readonly id: string;
  readonly userId: string;
  /** `checking-out`: a saga holds the order, and nothing else changes it. */
  readonly state: 'open' | 'checking-out' | 'paid';
  /** The saga that holds the order or has paid it; null while the order is open. */
  readonly sagaNumber: number | null;
  /** An item that was added twice has two lines. */
  readonly lines: readonly OrderLine[];
  /** The run of `batch_init` that wrote the order; 0: none did. */
  readonly setNumber: number;
}

/** Each change of the order writes all of its lines. */
const MAX_LINES = 1_000;

/** Throws `conflict` when the order does not take the line. */
export function withLine(order: Order, line: OrderLine): Order {
  if (order.lines.length >= MAX_LINES) throw conflict(`order ${order.id} has ${String(MAX_LINES)} lines, the most`);
  const lines = [...order.lines, line];
  if (totalOf(lines) === undefined) throw tooLarge(order.id);
  return { ...order, lines };
}

/** Undefined when the sum exceeds what a number holds exactly. */
export function totalOf(lines: readonly OrderLine[]): number | undefined {
  let total = 0;
  for (const { quantity, price } of lines) {
    const cost = quantity * price;
    total += cost;
    if (!Number.isSafeInteger(cost) || !Number.isSafeInteger(total)) return undefined;
  }
  return total;
}

/** The refusal of a change to an order that is paid, or being checked out; undefined when it is open. */
export function refusalUnlessOpen({ id, state }: Order): AppError | undefined {
  if (state === 'open') return undefined;
  if (state === 'paid') return conflict(`order ${id} is paid`);
  return new AppError('conflict', `order ${id} is being checked out`, { retry: 'safe', retryAfterSeconds: 1 });
}

export function noOrder(id: string): AppError {
  return new AppError('not-found', `order ${id} does not exist`, { retry: 'never' });
}

export function tooLarge(id: string): AppError {
  return conflict(`the total of order ${id} would exceed ${String(Number.MAX_SAFE_INTEGER)}`);
}

export function conflict(message: string): AppError {
  return new AppError('conflict', message, { retry: 'never' });
}
