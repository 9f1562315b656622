import { describe, expect, it } from '@jest/globals';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { defineSaga, type SagaStep } from './definition.js';
import { decideReaction, type KnownStep, toldBy } from './reaction.js';

const SAGA = defineSaga(SHOP_SAGA);
const DATA = { total: 7 };
const stepNamed = (name: string): SagaStep => SAGA.steps.find(({ step }) => step === name)!;
const row = (step: string, event: string, sagaId = 'a'): KnownStep => ({ step, event, sagaId });
const reaction = (event: string, rows: readonly KnownStep[] = []) =>
  decideReaction(SAGA, SAGA.stepOn(event)!, rows, { saga: { number: 1, id: 'a' }, name: event, data: DATA });

describe('the reaction of a participant to an event', () => {
  it('that it does not know of is the work of the step', () => {
    expect(reaction('checkout-started')).toEqual({ type: 'run' });
    expect(reaction('stock-refused', [row('authorise', 'credit-authorised')])).toEqual({ type: 'run' });
    expect(reaction('stock-taken', [row('authorise', 'credit-authorised')])).toEqual({ type: 'run' });
  });

  it.each([['credit-authorised'], ['credit-refused']])('that comes again is its row, which tells %s again', (event) => {
    const rows = [row('authorise', event)];

    expect(reaction('checkout-started', rows)).toEqual({ type: 'repeat', row: rows[0] });
  });

  it('that undoes a step without a row is a row that leaves a later step refused', () => {
    expect(reaction('stock-refused')).toEqual({ type: 'record', told: { event: 'credit-voided', data: DATA } });
    expect(reaction('checkout-started', [row('void', 'credit-voided')])).toEqual({
      type: 'record',
      told: { event: 'credit-refused', data: { ...DATA, reason: 'undone' } },
    });
  });

  it('that undoes a refused step takes nothing back', () => {
    expect(reaction('stock-refused', [row('authorise', 'credit-refused')])).toMatchObject({ type: 'record' });
  });

  it('of another saga with the same number is an error', () => {
    expect(reaction('checkout-started', [row('authorise', 'credit-authorised', 'b')])).toEqual({
      ...{ type: 'foreign', sagaId: 'b' },
    });
  });
});

describe('the answer of a step', () => {
  const later = { later: 'held elsewhere' };

  it('is its row when the table allows it, and an error otherwise', () => {
    const done = { event: 'stock-taken', data: DATA };

    expect(toldBy(stepNamed('take'), DATA, done, false)).toBe(done);
    expect(() => toldBy(stepNamed('capture'), DATA, done, false)).toThrow('capture answered stock-taken');
    expect(() => toldBy(stepNamed('capture'), DATA, { event: 'credit-refused', data: {} }, true)).toThrow(
      'does not allow',
    );
  });

  it('is later until the last try, and then the refusal if the table says so', () => {
    expect(toldBy(stepNamed('authorise'), DATA, later, false)).toBe(later);
    expect(toldBy(stepNamed('authorise'), DATA, later, true)).toEqual({
      ...{ event: 'credit-refused', data: { ...DATA, reason: 'held elsewhere' } },
    });
    expect(toldBy(stepNamed('take'), DATA, later, true)).toBe(later);
  });
});
