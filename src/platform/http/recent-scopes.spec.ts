import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { RecentScopes } from './recent-scopes.js';

const scope = (n: number): string => createHash('sha256').update(String(n)).digest('base64url');
const KEPT_MS = 100;

describe('recent scopes', () => {
  it('given scopes, remembers each for the whole time, and forgets it when twice that time is over', () => {
    let now = 0;
    const recent = new RecentScopes(() => now, KEPT_MS);
    for (now = 0; now < 1_000; now += 7) {
      recent.add(scope(now));
      for (let then = Math.max(0, now - KEPT_MS + (now % 7)); then <= now; then += 1)
        if (then % 7 === 0) expect(recent.has(scope(then))).toBe(true);
    }
    expect(recent.has(scope(0))).toBe(false);
  });

  it('given 100,000 scopes, takes at most two new ones in a hundred for known ones', () => {
    const recent = new RecentScopes(() => 0, KEPT_MS);
    for (let n = 0; n < 100_000; n += 1) recent.add(scope(n));
    const mistaken = Array.from({ length: 10_000 }, (_, n) => recent.has(scope(100_000 + n))).filter(Boolean);
    expect(mistaken.length).toBeLessThan(200);
  });
});
