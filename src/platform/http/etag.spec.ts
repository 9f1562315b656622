import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { etagOf, ifMatchHolds, isNotModified } from './etag.js';

const ETAG = etagOf('the shown bytes');

describe('an ETag', () => {
  it('made of equal and of different bytes, is equal and different', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(etagOf(a) === etagOf(b)).toBe(a === b);
        expect(etagOf(Buffer.from(a))).toBe(etagOf(Buffer.from(a)));
      }),
    );
  });

  it('made of anything, is one strong tag that needs no escape', () => {
    fc.assert(fc.property(fc.string(), (text) => /^"[\w-]+"$/.test(etagOf(text))));
  });
});

describe('If-Match', () => {
  it.each([
    [undefined, true],
    [ETAG, true],
    ['*', true],
    [' * ', true],
    [`"a", ${ETAG}`, true],
    [`${ETAG},"a"`, true],
    [`W/${ETAG}`, false],
    [`"a", W/${ETAG}`, false],
    ['"*"', false],
    ['', false],
    ['"', false],
    [ETAG.slice(1, -1), false],
    [ETAG.slice(0, -1), false],
    ['"a" "b"', false],
  ])('as %j, holds: %j', (header, holds) => {
    expect(ifMatchHolds(header, ETAG)).toBe(holds);
  });

  it('as anything that does not name the tag, does not hold', () => {
    const other = fc.string().filter((text) => text.trim() !== '*' && !text.includes(ETAG));
    fc.assert(fc.property(other, (header) => !ifMatchHolds(header, ETAG)));
  });
});

describe('If-None-Match', () => {
  it.each([
    [undefined, false],
    [ETAG, true],
    [`W/${ETAG}`, true],
    ['*', true],
    [`"a", W/${ETAG}, "b"`, true],
    ['"a"', false],
    ['', false],
    [ETAG.slice(1, -1), false],
  ])('as %j, means not modified: %j', (header, isCurrent) => {
    expect(isNotModified(header, ETAG)).toBe(isCurrent);
  });
});
