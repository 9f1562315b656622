import { describe, expect, it } from '@jest/globals';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { defineSaga } from './definition.js';
import { type LeftStep, stepsToEnd } from './lost-steps.js';

const SAGA = defineSaga(SHOP_SAGA);
const REFUSAL = { code: 'accepted' };
const ROWS: Readonly<Record<string, Omit<LeftStep, 'data'>>> = {
  start: { by: 'orders', step: 'start', eventIn: undefined, event: 'checkout-started' },
  authorise: { by: 'payment', step: 'authorise', eventIn: 'checkout-started', event: 'credit-authorised' },
  take: { by: 'stock', step: 'take', eventIn: 'credit-authorised', event: 'stock-taken' },
  capture: { by: 'payment', step: 'capture', eventIn: 'stock-taken', event: 'credit-captured' },
  paid: { by: 'orders', step: 'mark-paid', eventIn: 'credit-captured', event: 'order-paid' },
  refused: { by: 'stock', step: 'take', eventIn: 'credit-authorised', event: 'stock-refused' },
  void: { by: 'payment', step: 'void', eventIn: 'stock-refused', event: 'credit-voided' },
  unlock: { by: 'orders', step: 'unlock', eventIn: 'credit-voided', event: 'order-unlocked' },
};
/** The steps with which a saga ends of which these rows are left. */
const endingOf = (left: string): readonly string[] => {
  const rows = left.split(' ').map((name) => ({ ...ROWS[name]!, data: { order: 'o' } }));
  return stepsToEnd(SAGA, rows, REFUSAL).map(({ type, step, event }) => `${type} ${step}: ${event}`);
};

describe('a saga of which rows are lost', () => {
  it.each<[what: string, left: string, ending: readonly string[]]>([
    ['that lacks nothing', 'start authorise take capture paid', []],
    [
      'whose order is lost after the pivot: the rest is charged, and the order gets its rows alone',
      'authorise take',
      ['record start: checkout-started', 'do capture: credit-captured', 'record mark-paid: order-paid'],
    ],
    [
      'whose order is lost before the pivot: the credit is given back',
      'authorise',
      [
        ...['record start: checkout-started', 'record take: stock-refused', 'do void: credit-voided'],
        'record unlock: order-unlocked',
      ],
    ],
    [
      'whose payment is lost after the end',
      'start take paid',
      ['record authorise: credit-authorised', 'record capture: credit-captured'],
    ],
    [
      'whose payment is lost after the pivot: the order is paid, and payment gets its rows alone',
      'start take',
      ['record authorise: credit-authorised', 'record capture: credit-captured', 'do mark-paid: order-paid'],
    ],
    [
      'whose payment is lost before the pivot',
      'start',
      ['record authorise: credit-refused', 'do unlock: order-unlocked'],
    ],
    ['whose payment has lost only the charge', 'start authorise take paid', ['do capture: credit-captured']],
    ['whose stock is lost after the end', 'start authorise capture paid', ['record take: stock-taken']],
    [
      'whose stock is lost, and nothing shows that it was taken: the saga is taken back',
      'start authorise',
      ['record take: stock-refused', 'do void: credit-voided', 'do unlock: order-unlocked'],
    ],
    [
      'that was taken back, and whose payment is lost',
      'start refused unlock',
      ['record authorise: credit-authorised', 'record void: credit-voided'],
    ],
    [
      'that was taken back, and whose order has lost the end',
      'start authorise refused void',
      ['do unlock: order-unlocked'],
    ],
    [
      'of which only the end is left',
      'paid',
      [
        ...['record start: checkout-started', 'record authorise: credit-authorised', 'record take: stock-taken'],
        'record capture: credit-captured',
      ],
    ],
  ])('%s', (_what, left, ending) => {
    expect(endingOf(left)).toEqual(ending);
  });

  it('is ended the same when a death comes after the rows of one participant were written', () => {
    expect(endingOf('start authorise take paid')).toEqual(['do capture: credit-captured']);
    expect(endingOf('start authorise unlock')).toEqual(['record take: stock-refused', 'do void: credit-voided']);
  });

  it('hands on what its steps told, with the refusal where it is taken back', () => {
    const rows = [{ ...ROWS['start']!, data: { order: 'o' } }];
    expect(stepsToEnd(SAGA, rows, REFUSAL).map(({ data }) => data)).toEqual([
      ...[
        { order: 'o', code: 'accepted' },
        { order: 'o', code: 'accepted' },
      ],
    ]);
  });
});
