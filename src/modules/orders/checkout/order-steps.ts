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

/** The steps that end a checkout. Each changes the order only while this checkout holds it. */
export function orderSteps({ orders, checkouts, clock }: Rows): SagaParticipant['steps'] {
  const endWith = (saga: SagaRef, order: Pick<Order, 'state' | 'sagaNumber'>, ofHeld: End): number => {
    const checkout = checkoutOf(checkouts, saga);
    const found = orders.findWithinWrite(checkout.orderId);
    const held = found?.sagaNumber === saga.number ? found : undefined;
    if (held) orders.put({ ...held, ...order });
    const end: End = held ? ofHeld : { state: 'superseded', refusal: superseded(checkout) };
    checkouts.end(checkout, { ...end, endedAtMs: clock.nowMs() });
    return held?.setNumber ?? 0;
  };
  return {
    /** The order of a user whom `batch_init` has replaced before the charge is not paid: it is open again. */
    'mark-paid': (_scope, saga, data): StepOutcome => {
      const set = isSupersededBy(data)
        ? endWith(saga, OPEN, refusedEnd(data))
        : endWith(saga, { state: 'paid', sagaNumber: saga.number }, { state: 'completed', refusal: undefined });
      return { event: 'order-paid', data: {}, set };
    },
    unlock: (_scope, saga, data): StepOutcome => {
      const set = endWith(saga, OPEN, refusedEnd(data));
      return { event: 'order-unlocked', data: {}, set };
    },
  };
}

const OPEN = { state: 'open', sagaNumber: null } as const;

/** An earlier step found a row that `batch_init` has replaced since the checkout started. */
function isSupersededBy({ isSuperseded }: SagaData): boolean {
  return isSuperseded === true;
}

function refusedEnd(data: SagaData): End {
  return { state: isSupersededBy(data) ? 'superseded' : 'refused', refusal: refusalIn(data) };
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

function superseded({ orderId }: Checkout): Refusal {
  return { code: 'conflict', message: `order ${orderId} was replaced by batch_init during the checkout` };
}
