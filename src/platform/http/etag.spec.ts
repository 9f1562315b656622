import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { etagOf, Preconditions } from './etag.js';

const ETAG = etagOf('the shown bytes');

describe('an ETag', () => {
  it('given equal and different bytes, is equal and different', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(etagOf(a) === etagOf(b)).toBe(a === b);
        expect(etagOf(Buffer.from(a))).toBe(etagOf(Buffer.from(a)));
      }),
    );
  });

  it('given any bytes, is one strong tag that needs no escape', () => {
    fc.assert(fc.property(fc.string(), (text) => /^"[\w-]+"$/.test(etagOf(text))));
  });
});

const conditions = (headers: FastifyRequest['headers']): Preconditions =>
  Preconditions.of({ headers } as FastifyRequest);

const MALFORMED = [
  '',
  ' ',
  '"',
  '"a" "b"',
  'a',
  '*,"a"',
  '**',
  "'a'",
  'w/"a"',
  'W/ "a"',
  ',',
  '"a b"',
  '"a\\""',
  '"a",b',
];

describe('If-Match', () => {
  it.each([
    [undefined, true],
    [ETAG, true],
    ['*', true],
    [' * ', true],
    [`"a", ${ETAG}`, true],
    [`${ETAG},"a"`, true],
    [`, ,${ETAG}\t,,"a",`, true],
    [`"a,b", ${ETAG}`, true],
    [`W/${ETAG}`, false],
    [`"a", W/${ETAG}`, false],
    ['"*"', false],
    ['""', false],
  ])('given %j, holds for an existing resource: %j', (header, holds) => {
    expect(conditions({ 'if-match': header }).matches(ETAG)).toBe(holds);
  });

  it.each(['*', ETAG])('given %j, does not hold without a resource', (header) => {
    expect(conditions({ 'if-match': header }).refusal('it', undefined)?.code).toBe('precondition-failed');
  });
});

describe('If-None-Match', () => {
  it.each([
    [undefined, true],
    ['"a"', true],
    ['"a", W/"b"', true],
    [ETAG, false],
    [`W/${ETAG}`, false],
    ['*', false],
    [`"a", W/${ETAG}, "b"`, false],
  ])('given %j, holds for an existing resource: %j', (header, holds) => {
    expect(conditions({ 'if-none-match': header }).noneMatches(ETAG)).toBe(holds);
  });

  it.each(['*', ETAG])('given %j, holds without a resource', (header) => {
    expect(conditions({ 'if-none-match': header }).refusal('it', undefined)).toBeUndefined();
  });
});

describe.each(['if-match', 'if-none-match'] as const)('%s', (header) => {
  it.each(MALFORMED)('given %j, is refused by its name', (value) => {
    const expected = expect.objectContaining({ code: 'validation-failed' });
    expect(() => conditions({ [header]: value })).toThrow(expected);
  });

  it('given any text, is refused or evaluated in linear time', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', ' ', 'W/', 'a', '*'), maxLength: 4_000 }), (value) => {
        try {
          conditions({ [header]: value });
        } catch (error) {
          expect(error).toMatchObject({ code: 'validation-failed' });
        }
      }),
    );
  });
});
