import { describe, expect, it } from '@jest/globals';
import { loggedTarget } from './logged-target.js';

describe('the target of a request in the log', () => {
  it.each([
    ['/books/1', '/books/1'],
    ['/books?limit=5&after=3', '/books?limit=5&after=3'],
    ['/customers?min_seq=1.42', '/customers?min_seq=1.42'],
    ['/books?api_key=0123456789abcdef&limit=5', '/books?api_key=...&limit=5'],
    ['/books?0123456789abcdef', '/books?...'],
  ])('given %s, is shown as %s', (target, shown) => {
    expect(loggedTarget(target)).toBe(shown);
  });

  it('given a long one, is cut, and its length is shown', () => {
    const shown = loggedTarget(`/books/${'x'.repeat(8_000)}?a=${'y'.repeat(8_000)}`);
    expect(shown).toMatch(/^\/books\/x+\.\.\. \(16010 characters\)$/);
    expect(shown.length).toBeLessThan(230);
  });
});
