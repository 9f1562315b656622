import { describe, expect, it } from '@jest/globals';
import { decideDelivery, type DeliveryInput, deliveryOf, type DeliveryState } from './delivery.js';

const BUDGET = { attempts: 3, baseMs: 10, maxMs: 15 };
const FAILED: DeliveryInput = { type: 'failed', nowMs: 1_000, chance: 1 - 2 ** -40 };

/** The effects of these inputs, one list each, and the last state. */
function after(from: DeliveryState, ...inputs: readonly DeliveryInput[]) {
  let state = from;
  const effects = inputs.map((input) => {
    const decision = decideDelivery(state, input, BUDGET);
    ({ state } = decision);
    return decision.effects.map((effect) =>
      effect.type === 'deliver'
        ? `deliver${effect.isLastTry ? ' last' : ''}`
        : effect.type === 'wait'
          ? `wait ${String(effect.ms)}`
          : effect.delivery,
    );
  });
  return { effects, phase: state.phase, attempts: state.attempts, nextAtMs: state.nextAtMs };
}

const DUE: DeliveryInput = { type: 'due' };
const TRY: DeliveryInput = { type: 'try' };

describe('the delivery of an event', () => {
  it('that is new is tried at once, and noted when the receiver has its row', () => {
    expect(after(deliveryOf(), DUE, { type: 'delivered' })).toMatchObject({
      effects: [['deliver'], ['delivered']],
      phase: 'delivered',
    });
  });

  it('that fails waits twice as long each time, is told its last try, and is parked', () => {
    expect(after(deliveryOf(), DUE, FAILED, DUE, FAILED, DUE, FAILED)).toEqual({
      effects: [['deliver'], ['pending', 'wait 10'], ['deliver'], ['pending', 'wait 15'], ['deliver last'], ['parked']],
      ...{ phase: 'parked', attempts: 3, nextAtMs: 1_015 },
    });
  });

  it('waits at least half of its backoff', () => {
    expect(after(deliveryOf(), DUE, { type: 'failed', nowMs: 0, chance: 0 }).effects[1]).toEqual(['pending', 'wait 5']);
  });

  it('that is tried before it is due uses up no budget, and waits for the time that its row tells', () => {
    const waiting = { delivery: 'pending', attempts: 2, nextAtMs: 1_012 } as const;

    expect(after(deliveryOf(waiting), TRY, FAILED, TRY, FAILED)).toEqual({
      effects: [['deliver'], ['wait 12'], ['deliver'], ['wait 12']],
      ...{ phase: 'backing-off', attempts: 2, nextAtMs: 1_012 },
    });
  });

  it('waits no longer than its longest wait when the clock was set back', () => {
    const waiting = { delivery: 'pending', attempts: 1, nextAtMs: 9_999_999 } as const;

    expect(after(deliveryOf(waiting), TRY, FAILED).effects[1]).toEqual(['wait 15']);
  });

  it('that is parked stays parked when its try fails, is not tried by itself, and is delivered when it succeeds', () => {
    const parked = deliveryOf({ delivery: 'parked', attempts: 3, nextAtMs: 5 });

    expect(after(parked, DUE, TRY, FAILED, TRY, { type: 'delivered' })).toMatchObject({
      effects: [[], ['deliver last'], [], ['deliver last'], ['delivered']],
      phase: 'delivered',
    });
  });

  it('that is in flight is not tried a second time', () => {
    expect(after(deliveryOf(), DUE, DUE, TRY).effects).toEqual([['deliver'], [], []]);
  });

  it.each([
    ['is new', 'pending', 0],
    ['waits', 'pending', 1],
    ['is parked', 'parked', 3],
  ] as const)('whose saga is superseded while it %s goes no further', (_, delivery, attempts) => {
    const from = deliveryOf({ delivery, attempts, nextAtMs: 0 });

    expect(after(from, { type: 'superseded' }, DUE, TRY)).toMatchObject({
      ...{ effects: [['superseded'], [], []], phase: 'superseded' },
    });
  });
});
