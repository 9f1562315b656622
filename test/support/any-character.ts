import fc from 'fast-check';

const MAX_CODE_POINT = 0x10_ffff;
const SURROGATES = { first: 0xd800, end: 0xe000 };
const SURROGATE_COUNT = SURROGATES.end - SURROGATES.first;

/**
 * Any character, as the unit of `fc.string`. It gives the same as the unit 'binary' of fast-check, which maps all million
 * characters before its first string: a second and 180 MB for each process that uses it.
 */
export const anyCharacter: fc.Arbitrary<string> = fc
  .nat(MAX_CODE_POINT - SURROGATE_COUNT)
  .map((index) => String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATE_COUNT), indexOf);

/** Throws for what is not one character, as fast-check wants it. */
function indexOf(value: unknown): number {
  const point = typeof value === 'string' ? (value.codePointAt(0) ?? NaN) : NaN;
  if (point < SURROGATES.first && String.fromCodePoint(point) === value) return point;
  if (point >= SURROGATES.end && String.fromCodePoint(point) === value) return point - SURROGATE_COUNT;
  throw new Error('not one character');
}
