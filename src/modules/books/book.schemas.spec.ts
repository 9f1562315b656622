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
  it('of any number of cents that is allowed, is accepted and comes back as the same JSON', () => {
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

  it('with a third decimal that is not 0, is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_CENTS * 10 }), (mills) => {
        fc.pre(mills % 10 !== 0);
        expect(refused({ ...BOOK, price: mills / 1_000 })).toEqual(['price']);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of any number at all, is accepted exactly when it is whole cents within the range', () => {
    fc.assert(
      fc.property(fc.double(), (price) => {
        const isWholeCents = /^\d+(?:\.\d\d?)?$/.test(JSON.stringify(price)) && price <= 1_000_000;
        expect(refused({ ...BOOK, price })).toEqual(isWholeCents ? [] : ['price']);
      }),
    );
  });

  it.each([0.1 + 0.2, 1e-7, 1e21, Infinity, NaN, -0.01, 1_000_000.01, '1', null, [1], true, 1n])(
    'of %p, is refused',
    (price) => {
      expect(refused({ ...BOOK, price })).toEqual(['price']);
    },
  );

  it.each([-0, 0.29, 1.005e2, 4.35, 8.41, 1_000_000])('of %p, is accepted', (price) => {
    expect(refused({ ...BOOK, price })).toEqual([]);
  });
});

describe('a quantity', () => {
  it('of any whole number within the range, is accepted as it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (quantity) => {
        expect(bookInputSchema.parse({ ...BOOK, quantity }).quantity).toBe(quantity);
      }),
    );
  });

  it.each([-1, 0.5, 1_000_000_001, 2 ** 53, Infinity, NaN, '1', null, [], true])('of %p, is refused', (quantity) => {
    expect(refused({ ...BOOK, quantity })).toEqual(['quantity']);
  });
});

describe('a book', () => {
  it('without fields, is refused for each', () => {
    expect(refused({})).toEqual(['title', 'author', 'price', 'quantity']);
  });

  it('with spaces around its texts, is accepted without them', () => {
    expect(bookInputSchema.parse({ ...BOOK, title: ' \tKindred\n' }).title).toBe('Kindred');
  });
});
