import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { centsFromPrice, priceFromCents } from '../../kernel/index.js';
import { type BookInput, bookInputSchema } from './book.schemas.js';

const BOOK: BookInput = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
const MAX_CENTS = 100_000_000;

/** The fields a body is refused for; none when it is accepted. */
function refused(body: unknown): string[] {
  return [...new Set(bookInputSchema.safeParse(body).error?.issues.map(({ path }) => path.join('.')))];
}

describe('a price', () => {
  it('given any allowed number of cents, is accepted and returned as the same JSON', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_CENTS }), (cents) => {
        const text = `${String(Math.floor(cents / 100))}.${String(cents % 100).padStart(2, '0')}`;
        const price = JSON.parse(text) as number;
        expect(refused({ ...BOOK, price })).toEqual([]);
        expect(centsFromPrice(price)).toBe(cents);
        expect(JSON.stringify(priceFromCents(cents))).toBe(JSON.stringify(price));
      }),
      { numRuns: 2_000 },
    );
  });

  it('given a third decimal other than 0, is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_CENTS * 10 }), (mills) => {
        fc.pre(mills % 10 !== 0);
        expect(refused({ ...BOOK, price: mills / 1_000 })).toEqual(['price']);
      }),
      { numRuns: 2_000 },
    );
  });

  it('given any number, is accepted exactly when it is whole cents within the range', () => {
    fc.assert(
      fc.property(fc.double(), (price) => {
        const isWholeCents = /^\d+(?:\.\d\d?)?$/.test(JSON.stringify(price)) && price <= 1_000_000;
        expect(refused({ ...BOOK, price })).toEqual(isWholeCents ? [] : ['price']);
      }),
    );
  });

  it.each([0.1 + 0.2, 1e-7, 1e21, Infinity, NaN, -0.01, 1_000_000.01, '1', null, [1], true, 1n])(
    'given %p, is refused',
    (price) => {
      expect(refused({ ...BOOK, price })).toEqual(['price']);
    },
  );

  it.each([-0, 0.29, 1.005e2, 4.35, 8.41, 1_000_000])('given %p, is accepted', (price) => {
    expect(refused({ ...BOOK, price })).toEqual([]);
  });
});

describe('a quantity', () => {
  it('given any whole number within the range, is accepted unchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (quantity) => {
        expect(bookInputSchema.parse({ ...BOOK, quantity }).quantity).toBe(quantity);
      }),
    );
  });

  it.each([-1, 0.5, 1_000_000_001, 2 ** 53, Infinity, NaN, '1', null, [], true])('given %p, is refused', (quantity) => {
    expect(refused({ ...BOOK, quantity })).toEqual(['quantity']);
  });
});

describe('a book', () => {
  it('given no fields, is refused for each field', () => {
    expect(refused({})).toEqual(['title', 'author', 'price', 'quantity']);
  });

  it('given spaces around its texts, is accepted without them', () => {
    expect(bookInputSchema.parse({ ...BOOK, title: ' \tKindred\n' }).title).toBe('Kindred');
  });
});
