import { describe, expect, it } from '@jest/globals';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { defineSaga, type SagaStep, type SagaTable } from './definition.js';

const changed = (step: string, change: { readonly [K in keyof SagaStep]?: SagaStep[K] | undefined }): SagaTable => ({
  ...SHOP_SAGA,
  steps: SHOP_SAGA.steps.map((one) => (one.step === step ? ({ ...one, ...change } as SagaStep) : one)),
});
const without = (step: string): SagaTable => ({
  ...SHOP_SAGA,
  steps: SHOP_SAGA.steps.filter((one) => one.step !== step),
});
const withStep = (step: SagaStep): SagaTable => ({ ...SHOP_SAGA, steps: [...SHOP_SAGA.steps, step] });

describe('the table of a saga', () => {
  it('that keeps every rule is loaded, and tells the step of each event and the end of each path', () => {
    const saga = defineSaga(SHOP_SAGA);

    expect(saga.stepOn('stock-refused')?.step).toBe('void');
    expect(saga.stepOn('order-paid')).toBeUndefined();
    expect([saga.endOf('order-paid'), saga.endOf('order-unlocked')]).toEqual(['completed', 'refused']);
    expect([saga.undoneBy('void')?.step, saga.undoneBy('take')]).toEqual(['authorise', undefined]);
    expect(saga.participants).toEqual(['orders', 'payment', 'stock']);
    expect(() => saga.stepOn('gift-wrapped')).toThrow('the table names no event gift-wrapped');
  });

  it.each<[string, SagaTable, string]>([
    ['an event that two steps tell', changed('capture', { done: 'stock-taken' }), 'capture tells stock-taken'],
    [
      'an event that leads to two steps',
      changed('mark-paid', { on: ['credit-captured', 'stock-taken'] }),
      'stock-taken leads to mark-paid and to capture',
    ],
    [
      'an event that leads to a step and ends the saga',
      { ...SHOP_SAGA, ends: { ...SHOP_SAGA.ends, 'stock-taken': 'completed' } },
      'stock-taken leads to capture and to the end',
    ],
    ['an event that leads nowhere', without('mark-paid'), 'credit-captured leads to no step and is no end'],
    [
      'a step that waits for an event that no step tells',
      changed('capture', { on: ['stock-taken', 'parcel-sent'] }),
      'capture waits for parcel-sent, which no step tells',
    ],
    ['two steps of one name', changed('capture', { step: 'authorise' }), 'two steps have the name authorise'],
    [
      'an undo that is no step',
      changed('authorise', { undo: 'pray' }),
      'authorise is undone by pray, which is no step',
    ],
    ['an undo by another participant', changed('void', { by: 'stock' }), 'only its own participant can undo it'],
    ['an undo of two steps', changed('authorise', { by: 'orders', undo: 'unlock' }), 'unlock undoes two steps'],
    [
      'an undo that can be refused',
      { ...changed('void', { refused: 'void-refused' }), ends: { ...SHOP_SAGA.ends, 'void-refused': 'refused' } },
      'void undoes authorise, so it must not be refused',
    ],
    ['no pivot', changed('take', { isPivot: undefined }), 'it has 0 pivots'],
    ['two pivots', changed('capture', { isPivot: true }), 'it has 2 pivots'],
    [
      'a pivot on the way back',
      {
        ...SHOP_SAGA,
        steps: changed('take', { isPivot: undefined }).steps.map((one) =>
          one.step === 'void' ? { ...one, isPivot: true } : one,
        ),
      },
      'the pivot void is not on the path',
    ],
    [
      'a step before the pivot without an undo',
      changed('authorise', { undo: undefined }),
      'authorise comes before the pivot',
    ],
    [
      'a pivot with an undo',
      {
        ...SHOP_SAGA,
        steps: [
          ...changed('take', { undo: 'put-back' }).steps,
          { step: 'put-back', by: 'stock', on: [], done: 'stock-put-back' },
        ],
        ends: { ...SHOP_SAGA.ends, 'stock-put-back': 'refused' },
      },
      'the pivot take must not be undone',
    ],
    [
      'a step before the pivot that cannot be refused',
      withoutRefusalOfAuthorise(),
      'authorise can be undone before it was done',
    ],
    [
      'a refusal after the pivot',
      {
        ...changed('capture', { refused: 'capture-refused' }),
        steps: changed('capture', { refused: 'capture-refused' }).steps.map((one) =>
          one.step === 'void' ? { ...one, on: [...one.on, 'capture-refused'] } : one,
        ),
      },
      'capture comes after the pivot and must not be refused',
    ],
    [
      'an undo after the pivot',
      {
        ...withStep({ step: 'refund', by: 'payment', on: [], done: 'credit-refunded' }),
        steps: [
          ...changed('capture', { undo: 'refund' }).steps,
          { step: 'refund', by: 'payment', on: [], done: 'credit-refunded' },
        ],
        ends: { ...SHOP_SAGA.ends, 'credit-refunded': 'refused' },
      },
      'capture comes after the pivot and must not be undone',
    ],
    [
      'an undo that is left out',
      {
        ...SHOP_SAGA,
        steps: [
          ...without('void').steps.map((one) =>
            one.step === 'unlock' ? { ...one, on: ['credit-refused', 'stock-refused'] } : one,
          ),
          { step: 'void', by: 'payment', on: [], done: 'credit-voided' },
        ],
        ends: { ...SHOP_SAGA.ends, 'credit-voided': 'refused' },
      },
      'after stock-refused it must void, then unlock, the last step first, but it does unlock',
    ],
    [
      'undos in the order of the steps',
      {
        ...SHOP_SAGA,
        steps: SHOP_SAGA.steps.map((one) => {
          if (one.step === 'unlock') return { ...one, on: ['credit-refused', 'stock-refused'] };
          return one.step === 'void' ? { ...one, on: ['order-unlocked'] } : one;
        }),
        ends: { 'order-paid': 'completed', 'credit-voided': 'refused' },
      },
      'but it does unlock, then void',
    ],
    [
      'a refusal that ends as completed',
      { ...SHOP_SAGA, ends: { ...SHOP_SAGA.ends, 'order-unlocked': 'completed' } },
      'does not end as refused',
    ],
    [
      'a completed path that ends as refused',
      { ...SHOP_SAGA, ends: { ...SHOP_SAGA.ends, 'order-paid': 'refused' } },
      'does not end as completed',
    ],
    [
      'a path that never ends',
      {
        ...changed('capture', { on: ['stock-taken', 'order-marked'] }),
        steps: changed('capture', { on: ['stock-taken', 'order-marked'] }).steps.map((one) =>
          one.step === 'mark-paid' ? { ...one, done: 'order-marked' } : one,
        ),
        ends: { 'order-unlocked': 'refused' },
      },
      'comes to capture again and never ends',
    ],
    [
      'a step on no path',
      {
        ...withStep({ step: 'wrap', by: 'stock', on: ['gift-wrapped'], done: 'gift-wrapped' }),
      },
      'no path comes to wrap',
    ],
    [
      'an exhausted step without a refusal',
      changed('capture', { isRefusedWhenExhausted: true }),
      'capture is refused when exhausted, but has no refusal',
    ],
  ])('with %s is refused, naming it', (_, table, problem) => {
    expect(() => defineSaga(table)).toThrow(problem);
  });
});

function withoutRefusalOfAuthorise(): SagaTable {
  return {
    ...SHOP_SAGA,
    steps: changed('authorise', { refused: undefined, isRefusedWhenExhausted: undefined }).steps.map((one) =>
      one.step === 'unlock' ? { ...one, on: ['credit-voided'] } : one,
    ),
  };
}
