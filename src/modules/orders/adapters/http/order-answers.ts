import type { Answer } from '../../../../platform/http/index.js';
import { type Order, type OrderLine, totalOf } from '../../order.js';
import type { OrderView } from '../../order.schemas.js';
import type { OrderOutcome } from '../../order.service.js';

/** Every order that was written has a total. */
export function orderView({ id, userId, state, lines }: Pick<Order, 'id' | 'userId' | 'state' | 'lines'>): OrderView {
  return {
    order_id: id,
    paid: state === 'paid',
    items: itemsOf(lines),
    user_id: userId,
    total_cost: totalOf(lines) ?? 0,
  };
}

export function itemsOf(lines: readonly OrderLine[]): [itemId: string, quantity: number][] {
  return lines.map(({ itemId, quantity }) => [itemId, quantity]);
}

export function orderAnswer({ change, order }: OrderOutcome): Answer {
  if (change === 'changed') return { status: 200, headers: {}, body: JSON.stringify(orderView(order)) };
  const headers = { location: `/orders/find/${order.id}` };
  return { status: 201, headers, body: JSON.stringify({ order_id: order.id }) };
}
