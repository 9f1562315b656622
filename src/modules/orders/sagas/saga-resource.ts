import { type OpenDelivery, type SagaDefinition, type SagaRelay, START } from '../../../protocols/saga/index.js';
import type { Checkout } from '../checkout/checkout.js';
import type { SagaResource, SagaState } from './saga.schemas.js';

type Timeline = ReturnType<SagaRelay['timeline']>;

interface Known {
  readonly checkout: Checkout;
  readonly timeline: Timeline;
  readonly open: readonly OpenDelivery[];
  readonly definition: SagaDefinition;
}

export function sagaResource({ checkout, timeline, open, definition }: Known): SagaResource {
  const { operation, orderId, userId, total, lines, refusal, startedAtMs, endedAtMs } = checkout;
  return {
    ...{ id: operation.id, kind: definition.name, state: stateOf(checkout, open), orderId, userId, total },
    lines: lines.map(({ itemId, quantity, price }) => ({ itemId, quantity, price })),
    ...(refusal && { reason: { code: refusal.code, detail: refusal.message } }),
    startedAt: timeOf(startedAtMs),
    ...(endedAtMs !== undefined && { endedAt: timeOf(endedAtMs) }),
    steps: timeline.map((row) => stepOf(row, definition)),
    deliveries: open.map(deliveryOf),
  };
}

export function stateOf({ state }: Pick<Checkout, 'state'>, open: readonly OpenDelivery[]): SagaState {
  return state === 'running' && open.some((delivery) => delivery.state === 'parked') ? 'parked' : state;
}

function stepOf(
  { step, by, eventIn, event, atMs, set }: Timeline[number],
  definition: SagaDefinition,
): SagaResource['steps'][number] {
  const compensates = definition.start.undo === step ? START : definition.undoneBy(step)?.step;
  return {
    ...{ step, participant: by, event, at: timeOf(atMs) },
    ...(eventIn !== undefined && { cause: eventIn }),
    ...(compensates !== undefined && { compensates }),
    ...(set > 0 && { set }),
  };
}

function deliveryOf(open: OpenDelivery): SagaResource['deliveries'][number] {
  const { event, from, to, state, attempts, nextAtMs, reason } = open;
  return {
    ...{ event, from, to, state, attempts },
    ...(nextAtMs > 0 && { nextTryAt: timeOf(nextAtMs) }),
    ...(reason !== undefined && { reason }),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
