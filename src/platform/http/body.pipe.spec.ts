import { describe, expect, it } from '@jest/globals';
import type { ArgumentMetadata } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../../kernel/index.js';
import { BODY_PIPE, BODY_PIPE_WITH_ID } from './body.pipe.js';

const schema = z.strictObject({ name: z.string('must be text'), inner: z.strictObject({ n: z.int() }).optional() });
const metadata = { type: 'body', schema } as unknown as ArgumentMetadata;

/** What the pipe makes of a body: the value, or the fields it names. */
function piped(value: unknown): unknown {
  try {
    return BODY_PIPE.transform(value, metadata);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.fields.map(({ field }) => field);
  }
}

describe('the body pipe', () => {
  it.each([
    ['a valid body', { name: 'a' }, { name: 'a' }],
    ['fields of the server', { id: { x: 1 }, orders_count: null, name: 'a' }, { name: 'a' }],
    ['no body', undefined, ['name']],
    ['an empty body', {}, ['name']],
    ['unknown fields', { name: 'a', x: 1, y: 2 }, ['x', 'y']],
    ['a wrong and an unknown field', { name: 1, x: 1 }, ['name', 'x']],
    ['a wrong field within a field', { name: 'a', inner: { n: 'x' } }, ['inner.n']],
    ['an unknown field within a field', { name: 'a', inner: { n: 1, x: 1 } }, ['inner.x']],
    ['the server’s fields within a field', { name: 'a', inner: { n: 1, id: 1 } }, ['inner.id']],
    ['null', null, ['body']],
    ['an array', [{ name: 'a' }], ['body']],
    ['text', 'x', ['body']],
  ])('given %s, passes it on or names the mistakes', (_title, given, expected) => {
    expect(piped(given)).toEqual(expected);
  });

  it('given ids that clients may choose, passes the id on and ignores other server fields', () => {
    const withId = { type: 'body', schema: z.strictObject({ id: z.int() }) } as unknown as ArgumentMetadata;
    expect(BODY_PIPE_WITH_ID.transform({ id: 7, orders_count: 1 }, withId)).toEqual({ id: 7 });
    expect(() => BODY_PIPE_WITH_ID.transform({ id: null }, withId)).toThrow(/^id /);
  });

  it('given a value that breaks two rules of its field with the same words, names it once', () => {
    const rule = 'must be a price';
    const price = z
      .number(rule)
      .min(0, rule)
      .refine((value) => value * 100 >= 0, rule);
    const broken = { type: 'body', schema: z.strictObject({ price }) } as unknown as ArgumentMetadata;
    expect(() => BODY_PIPE.transform({ price: -1 }, broken)).toThrow(/^price must be a price$/);
  });

  it('given a thousand unknown fields, names a hundred and the number of the others', () => {
    const given = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${String(n)}`, 1]));
    expect(() => BODY_PIPE.transform({ name: 'a', ...given }, metadata)).toThrow(
      /f99 is not a known field; and 900 more$/,
    );
    expect(piped({ name: 'a', ...given })).toHaveLength(100);
  });

  it('given a body with server fields, leaves that body unchanged', () => {
    const given = { id: 1, name: 'a' };
    piped(given);
    expect(given).toEqual({ id: 1, name: 'a' });
  });
});
