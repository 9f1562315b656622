import { describe, expect, it } from '@jest/globals';
import { AppError, type ErrorCode } from '../../kernel/index.js';
import { problemHeaders, problemOf, problemWithMessage, toAppError } from './problem.js';
import { problemSchema } from './schemas.js';
import { STATUS_OF, TITLE_OF } from './status.js';

const CODES = Object.keys(STATUS_OF) as ErrorCode[];
const errorOf = (code: ErrorCode): AppError => new AppError(code, 'what happened', { retry: 'never' });

describe('a problem', () => {
  it.each(CODES)('given %s, is complete', (code) => {
    const problem = problemOf(errorOf(code), '/here');
    expect(problemSchema({}).parse(problem)).toEqual(problem);
    expect(problem).toMatchObject({
      code,
      status: STATUS_OF[code],
      title: TITLE_OF[STATUS_OF[code]],
      instance: '/here',
    });
    expect(problemHeaders(errorOf(code))['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('given a process whose problems have a message, repeats the detail there', () => {
    const shown = problemOf(errorOf('exists'), '/v1/group', { hasMessage: true });
    expect(shown).toEqual({ ...problemOf(errorOf('exists'), '/v1/group'), message: 'what happened' });
    const internal = problemOf(errorOf('internal'), '/', { hasMessage: true });
    expect(internal.message).toBe(internal.detail);
  });

  it.each(CODES)('given %s, says when to retry with 429 and 503', (code) => {
    const isTemporary = [429, 503].includes(STATUS_OF[code]);
    expect('retry-after' in problemHeaders(errorOf(code))).toBe(isTemporary);
  });

  it('given an error with a retry time, uses that time', () => {
    const error = new AppError('storage-full', 'no room', { retry: 'safe', retryAfterSeconds: 7 });
    expect(problemHeaders(error)['retry-after']).toBe('7');
    const busy = new AppError('conflict', 'busy', { retry: 'safe', retryAfterSeconds: 1 });
    expect(problemHeaders(busy)['retry-after']).toBe('1');
  });

  it('given an unexpected error, does not reveal the reason', () => {
    const problem = problemOf(toAppError(new Error('secret/path.ts')), '/');
    expect([problem.status, problem.code, JSON.stringify(problem)]).toEqual([
      500,
      'internal',
      expect.not.stringContaining('secret'),
    ]);
  });

  it('given a failed validation, names the fields', () => {
    const fields = [{ field: 'price', message: 'must be a number' }];
    const error = new AppError('validation-failed', 'price must be a number', { retry: 'never', fields });
    expect(problemOf(error, '/books').errors).toEqual(fields);
    expect(problemOf(errorOf('conflict'), '/books')).not.toHaveProperty('errors');
  });
});

describe("another process's problem", () => {
  it('given a problem, gets its detail as message; given anything else, is unchanged', () => {
    const problem = problemOf(errorOf('conflict'), '/x');
    expect(JSON.parse(problemWithMessage(JSON.stringify(problem)))).toEqual({ ...problem, message: 'what happened' });
    for (const text of ['', 'x', 'null', '1', '[]', '{"detail":1}']) expect(problemWithMessage(text)).toBe(text);
  });
});

describe('anything thrown', () => {
  it.each([
    [{ statusCode: 413 }, 'body-too-large'],
    [{ statusCode: 415 }, 'unsupported-media-type'],
    [{ status: 404, message: 'x' }, 'route-not-found'],
    [{ statusCode: 429 }, 'rate-limited'],
    [{ statusCode: 400 }, 'malformed-request'],
    [{ statusCode: 431 }, 'malformed-request'],
    [{ statusCode: 500 }, 'internal'],
    [{ statusCode: 302 }, 'internal'],
    [new Error('x'), 'internal'],
    ['text', 'internal'],
    [null, 'internal'],
    [undefined, 'internal'],
  ])('as %j, becomes %s', (thrown, code) => {
    expect(toAppError(thrown).code).toBe(code);
  });

  it('given one of our errors, stays unchanged', () => {
    const error = errorOf('conflict');
    expect(toAppError(error)).toBe(error);
  });
});
