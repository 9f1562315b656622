import { AppError, type Clock, type OperationStamp } from '../../../kernel/index.js';
import { conflict, noOrder, refusalUnlessOpen, tooLarge, totalOf } from '../order.js';
import type { OrderRepository } from '../order.repository.js';
import type { ShopQueries } from '../order.service.js';
import type { CheckoutData, StartedCheckout } from './checkout-sagas.js';
import type { CheckoutRepository } from './checkout.repository.js';

interface Parts {
  readonly orders: OrderRepository;
  readonly checkouts: CheckoutRepository;
  readonly queries: ShopQueries;
  readonly clock: Clock;
}

export interface NewSaga {
  readonly orderId: string;
  readonly operation: OperationStamp;
  /** As `SqlSagaFile` gives it. */
  readonly number: number;
}

/**
 * Only inside work of the write executor of `orders.db`: locks the order for a new saga, and freezes its lines with the prices of
 * this moment, which the order then shows too. Throws `not-found`, `validation-failed` for an order without lines, or `conflict`,
 * with nothing written.
 */
export function startCheckout(
  { orders, checkouts, queries, clock }: Parts,
  { orderId, operation, number }: NewSaga,
): StartedCheckout {
  const order = orders.findWithinWrite(orderId);
  if (order === undefined) throw noOrder(orderId);
  const refusal = refusalUnlessOpen(order);
  if (refusal) throw refusal;
  if (order.lines.length === 0) throw withoutLines();
  const items = queries.items(order.lines.map(({ itemId }) => itemId));
  const itemOf = (itemId: string): { readonly price: number; readonly setNumber: number } => {
    const item = items.get(itemId);
    if (item === undefined) throw conflict(`item ${itemId} of order ${orderId} no longer exists; nothing was taken`);
    return item;
  };
  const lines = order.lines.map((line) => ({ ...line, price: itemOf(line.itemId).price }));
  const total = totalOf(lines);
  if (total === undefined) throw tooLarge(orderId);
  const checkout = { orderId, userId: order.userId, lines, total, operation, startedAtMs: clock.nowMs() };
  checkouts.insert(number, checkout);
  orders.put({ ...order, lines, state: 'checking-out', sagaNumber: number });
  const data: CheckoutData = {
    ...{ orderId, userId: order.userId, userSet: queries.userSet(order.userId), total },
    lines: lines.map(({ itemId, quantity }) => [itemId, quantity, itemOf(itemId).setNumber]),
  };
  return { saga: { number, id: operation.id }, data, setNumber: order.setNumber };
}

function withoutLines(): AppError {
  const message = 'must be that of an order with lines: add an item first';
  return new AppError('validation-failed', `order_id ${message}`, {
    retry: 'never',
    fields: [{ field: 'order_id', message }],
  });
}
