import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAppError } from '../../kernel/index.js';
import { delivered, newItem, type StockItem, taken } from './stock-item.js';

const MAX = Number.MAX_SAFE_INTEGER;
const amount = fc.oneof(fc.nat(20), fc.maxSafeNat(), fc.constantFrom(0, 1, MAX));
const change = fc.oneof(
  amount.map((n) => (item: StockItem) => delivered(item, n)),
  amount.map((n) => (item: StockItem) => delivered(item, -n)),
  amount.map((n) => (item: StockItem) => taken(item, n)),
);

describe('an item, after any deliveries, withdrawals and sales', () => {
  it('has nothing below zero and nothing that a number cannot hold, and stock + sold = delivered', () => {
    fc.assert(
      fc.property(amount, fc.array(change, { maxLength: 30 }), (stock, changes) => {
        let item = newItem({ id: 'an item', price: 5, stock });
        for (const next of changes) {
          try {
            item = next(item);
          } catch (error) {
            if (!isAppError(error, 'too-little-stock') && !isAppError(error, 'conflict')) throw error;
          }
          const parts = [item.stock, item.sold, item.delivered];
          expect(parts.every((part) => Number.isSafeInteger(part) && part >= 0)).toBe(true);
          expect(BigInt(item.stock) + BigInt(item.sold)).toBe(BigInt(item.delivered));
        }
      }),
    );
  });

  it.each([
    ['a withdrawal', (item: StockItem) => delivered(item, -4), '3 of item 7 are in stock, which is less than 4'],
    ['a sale', (item: StockItem) => taken(item, 4), '3 of item 7 are in stock, which is less than 4'],
    [
      'a delivery',
      (item: StockItem) => delivered(item, MAX - 2),
      /^3 of item 7 were delivered, and at most \d+ may be$/,
    ],
  ])('refuses %s that goes too far', (_, tooFar, message) => {
    expect(() => tooFar(newItem({ id: '7', price: 1, stock: 3 }))).toThrow(message);
  });

  it('counts what is sold as delivered: a delivery may exceed the limit although the stock does not', () => {
    const sold = taken(newItem({ id: '7', price: 1, stock: MAX }), MAX);
    expect(() => delivered(sold, 1)).toThrow('may be');
  });
});
