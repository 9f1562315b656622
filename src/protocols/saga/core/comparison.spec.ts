import { describe, expect, it } from '@jest/globals';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import type { DeliveryMark } from '../ports.js';
import { type ComparedStep, filesBehind, missingSteps } from './comparison.js';
import { defineSaga } from './definition.js';

const SAGA = defineSaga(SHOP_SAGA);
const row = (
  by: string,
  step: string,
  eventIn: string | undefined,
  event: string,
  delivery: DeliveryMark = 'delivered',
): ComparedStep => ({ sagaId: 'a', by, step, eventIn, event, delivery });

const PAID = [
  row('orders', 'start', undefined, 'checkout-started'),
  row('payment', 'authorise', 'checkout-started', 'credit-authorised'),
  row('stock', 'take', 'credit-authorised', 'stock-taken'),
  row('payment', 'capture', 'stock-taken', 'credit-captured'),
  row('orders', 'mark-paid', 'credit-captured', 'order-paid', 'end'),
];
const lacksOf = (rows: readonly ComparedStep[]): readonly string[] =>
  missingSteps(SAGA, rows).map(({ by, lacks, provedBy }) => `${by} lacks ${lacks}, proved by ${provedBy}`);
const without = (...steps: readonly string[]): readonly ComparedStep[] =>
  PAID.filter(({ step }) => !steps.includes(step));

describe('the rows of a saga in the files of all participants', () => {
  it('lack nothing while the saga is under way or has ended, whether its notes were lost or not', () => {
    for (let length = 0; length <= PAID.length; length += 1) {
      const rows = PAID.slice(0, length);
      const last = rows.at(-1);
      if (last !== undefined && last.delivery !== 'end') rows[length - 1] = { ...last, delivery: 'pending' };
      const withoutNotes = rows.map(
        (one) => ({ ...one, delivery: one.delivery === 'end' ? 'end' : 'pending' }) as const,
      );
      expect([missingSteps(SAGA, rows), missingSteps(SAGA, withoutNotes)]).toEqual([[], []]);
    }
    expect(missingSteps(SAGA, [{ ...PAID[0]!, delivery: 'superseded' }])).toEqual([]);
  });

  it('show which file is an older copy', () => {
    expect(lacksOf(without('capture'))).toEqual([
      'payment lacks capture, proved by take of stock',
      'payment lacks credit-captured, proved by mark-paid of orders',
    ]);
    expect(lacksOf(without('take', 'capture', 'mark-paid'))).toEqual([
      'stock lacks take, proved by authorise of payment',
    ]);
    expect(lacksOf(without('start', 'mark-paid'))).toEqual([
      'orders lacks checkout-started, proved by authorise of payment',
      'orders lacks mark-paid, proved by capture of payment',
    ]);
    expect(lacksOf([{ ...PAID[0]!, sagaId: 'b', delivery: 'pending' }, PAID[1]!])).toContain(
      'orders lacks checkout-started, proved by authorise of payment',
    );
  });
});

describe('the points of the files, below which rows are pruned', () => {
  const behind = (orders: string, payment: string, stock: string): readonly string[] => {
    const points = Object.entries({ orders, payment, stock }).map(([participant, given]) => {
      const [prunedBelow = 0, highestNumber = 0, confirmedBelow = 0] = given.split(' ').map(Number);
      return { participant, prunedBelow, highestNumber, confirmedBelow };
    });
    return filesBehind(SAGA, points).map(({ by, saga, provedBy }) => `${by} lacks ${String(saga)}: ${provedBy}`);
  };

  it('are as they should be at the beginning, and between the prunings of two files', () => {
    expect(behind('0 9', '0 9', '0 2')).toEqual([]);
    expect(behind('5 9 0', '0 9', '0 2')).toEqual([]);
    expect(behind('5 9 0', '5 9', '0 2')).toEqual([]);
    expect(behind('5 9 5', '5 9', '5 0')).toEqual([]);
    expect(behind('10 0 5', '5 9', '5 0')).toEqual([]);
  });

  it('show an older copy whose later rows no other file has any more', () => {
    expect(behind('0 2 0', '5 4', '5 4')).toEqual([
      ...['orders lacks 4: the pruning of payment', 'orders lacks 4: the pruning of stock'],
    ]);
    expect(behind('5 4 5', '0 2', '5 4')).toEqual(['payment lacks 4: the pruning of orders']);
    expect(behind('5 4 5', '5 4', '0 2')).toEqual(['stock lacks 4: the pruning of orders']);
    expect(behind('10 9 5', '5 7', '5 0')).toEqual(['payment lacks 9: the pruning of orders']);
  });
});
