import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/support/any-character.js';
import { boundedText } from './schemas.js';

const text = boundedText(1, 5);

describe('bounded text', () => {
  it('given any characters, is accepted exactly when 1 to 5 of them remain after trimming', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 8 }), (given) => {
        const { length } = [...given.trim()];
        const { data } = text.safeParse(given);
        expect(data).toBe(length >= 1 && length <= 5 ? given.trim() : undefined);
      }),
    );
  });

  it('given any UTF-16 units, is refused when one is half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\ud83d', '\udc9a'), maxLength: 5 }), (given) => {
        const { success } = text.safeParse(given);
        if (success) expect(given.isWellFormed()).toBe(true);
        else expect(given === '' || !given.isWellFormed()).toBe(true);
      }),
    );
  });

  it.each([
    ['💚'.repeat(5), true],
    ['💚'.repeat(6), false],
    ['e\u0301e\u0301', true],
    ['a\u0000b', true],
    ['x'.repeat(1_000_000), false],
    ['\u00a0\ufeff', false],
    [5, false],
    [undefined, false],
  ])('given %j, is accepted: %j', (given, isAccepted) => {
    expect(text.safeParse(given).success).toBe(isAccepted);
  });
});
