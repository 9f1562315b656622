import { describe, expect, it } from '@jest/globals';
import { backoffMs, retryAfterMs } from './backoff.js';

describe('the wait after an attempt', () => {
  it.each([
    [1, 0, 0],
    [1, 0.999, 99],
    [2, 0.5, 100],
    [3, 0.5, 200],
    [20, 0.999, 1_998],
  ])(
    'number %i with the random number %d is %i ms, within a growing range that has a maximum',
    (attempt, chance, expected) => {
      expect(backoffMs({ baseMs: 100, maxMs: 2_000 }, attempt, chance)).toBe(expected);
    },
  );
});

describe('a Retry-After', () => {
  it.each([
    ['2', 2_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 1970 00:00:09 GMT', 4_000],
    ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('of %j, five seconds after the epoch, asks for %p ms', (header, expected) => {
    expect(retryAfterMs(header, 5_000)).toBe(expected);
  });
});
