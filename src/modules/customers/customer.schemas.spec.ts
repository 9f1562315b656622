import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { customerInputSchema } from './customer.schemas.js';

/** The e-mail address as it is accepted; undefined when it is refused. */
function accepted(email: unknown): string | undefined {
  return customerInputSchema.safeParse({ name: 'Ada', email }).data?.email;
}

describe('an e-mail address', () => {
  it.each([
    ['a@b', 'a@b'],
    [' a@b\n', 'a@b'],
    [`${'x'.repeat(318)}@b`, `${'x'.repeat(318)}@b`],
    [`${'💚'.repeat(318)}@b`, `${'💚'.repeat(318)}@b`],
    [`${'x'.repeat(319)}@b`, undefined],
    [`${'💚'.repeat(319)}@b`, undefined],
    ['@b', undefined],
    ['💚@', undefined],
    ['💚@b', '💚@b'],
    ['abc', undefined],
    ['a@b@c', undefined],
    ['@@@', undefined],
    ['a@\ud800', undefined],
    [7, undefined],
    [null, undefined],
    [['a@b'], undefined],
  ])('given %j, is accepted as %j', (email, expected) => {
    expect(accepted(email)).toBe(expected);
  });

  it('given any text, is accepted exactly with one @ and 3 to 320 characters after trimming', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.nat(2), (text, ats) => {
        const email = [...text.replaceAll('@', ''), ...'@'.repeat(ats)].join('');
        const { length } = [...email.trim()];
        const isAddress = ats === 1 && length >= 3 && length <= 320;
        expect(accepted(email)).toBe(isAddress ? email.trim() : undefined);
      }),
    );
  });
});
