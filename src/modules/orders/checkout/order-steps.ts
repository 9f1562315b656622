import type { Clock } from '../../../kernel/index.js';
import type { SagaData, SagaParticipant, SagaRef, StepOutcome } from '../../../protocols/saga/index.js';
import type { Order } from '../order.js';
import type { OrderRepository } from '../order.repository.js';
import type { Checkout, CheckoutEnd, Refusal } from './checkout.js';
import type { CheckoutRepository } from './checkout.repository.js';

interface Rows {
  readonly orders: OrderRepository;
  readonly checkouts: CheckoutRepository;
  readonly clock: Clock;
}

type End = Pick<CheckoutEnd, 'state' | 'refusal'>;

/** The steps that end a checkout. Its order is locked until then: `batch_init` replaces none whose checkout has come so far. */
export function orderSteps({ orders, checkouts, clock }: Rows): SagaParticipant['steps'] {
  const endWith = (saga: SagaRef, order: Pick<Order, 'state' | 'sagaNumber'>, end: End): number => {
    const checkout = checkoutOf(checkouts, saga);
    const locked = orders.findWithinWrite(checkout.orderId);
    if (locked?.sagaNumber !== saga.number) throw notLocked(checkout);
    orders.put({ ...locked, ...order });
    checkouts.end(checkout, { ...end, endedAtMs: clock.nowMs() });
    return locked.setNumber;
  };
  return {
    'mark-paid': (_scope, saga): StepOutcome => {
      const paid = { state: 'paid', sagaNumber: saga.number } as const;
      const set = endWith(saga, paid, { state: 'completed', refusal: undefined });
      return { event: 'order-paid', data: {}, set };
    },
    unlock: (_scope, saga, data): StepOutcome => {
      const set = endWith(saga, OPEN, refusedEnd(data));
      return { event: 'order-unlocked', data: {}, set };
    },
  };
}

const OPEN = { state: 'open', sagaNumber: null } as const;

/** Superseded: the step that refused found a row that `batch_init` has replaced since the checkout started. */
function refusedEnd(data: SagaData): End {
  return { state: data['isSuperseded'] === true ? 'superseded' : 'refused', refusal: refusalIn(data) };
}

function checkoutOf(checkouts: CheckoutRepository, { number, id }: SagaRef): Checkout {
  const checkout = checkouts.findWithinWrite(number);
  if (checkout !== undefined && checkout.operation.id === id) return checkout;
  throw new Error(`orders.db does not know saga ${String(number)} with the id ${id}`);
}

/**
 * What the step that refused has told; `reason` where its tries were used up. An item or user that is gone contradicts the order,
 * which itself was found.
 */
function refusalIn({ code, message, reason }: SagaData): Refusal {
  if (typeof code === 'string' && typeof message === 'string') {
    return { code: code === 'not-found' ? 'conflict' : (code as Refusal['code']), message };
  }
  return { code: 'credit-held', message: String(reason) };
}

function notLocked({ orderId, operation }: Checkout): Error {
  return new Error(`order ${orderId} is not locked by its checkout ${operation.id}`);
}
