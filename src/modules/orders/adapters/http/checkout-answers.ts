import { AppError } from '../../../../kernel/index.js';
import { type Answer, problemHeaders, problemOf } from '../../../../platform/http/index.js';
import type { Checkout } from '../../checkout/checkout.js';
import { orderView } from './order-answers.js';

/** The answer to a checkout that has ended, the first time and at each replay. */
export function checkoutAnswer({ orderId, userId, lines, refusal, operation }: Checkout): Answer {
  if (refusal === undefined) {
    const order = orderView({ id: orderId, userId, state: 'paid', lines });
    return { status: 200, headers: {}, body: JSON.stringify({ ...order, saga_id: operation.id }) };
  }
  const error = new AppError(refusal.code, refusal.message, { retry: 'never' });
  const problem = problemOf(error, `/orders/checkout/${orderId}`);
  return { status: problem.status, headers: problemHeaders(error), body: JSON.stringify(problem) };
}
