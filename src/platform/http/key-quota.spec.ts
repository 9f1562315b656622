import { beforeEach, describe, expect, it } from '@jest/globals';
import { KeyQuota } from './key-quota.js';

const MOST = 3;
const KEPT_MS = 60_000;

describe('a quota of keys', () => {
  let quota: KeyQuota;

  beforeEach(() => {
    quota = new KeyQuota(MOST, KEPT_MS);
  });

  it('given as many as one owner may hold, has no room for that one, and all of it for others', () => {
    for (let n = 0; n < MOST; n += 1) {
      expect(quota.fullFor('a', 0)).toBeUndefined();
      quota.add('a', 0);
    }

    expect(quota.fullFor('a', 0)).toBe(KEPT_MS + 1_000);
    expect(quota.fullFor('b', 0)).toBeUndefined();
  });

  it('judged at a later time, has room as soon as the oldest is over, though nothing was recorded since', () => {
    quota.add('a', 5_000);
    quota.add('a', 9_000, 2);

    expect(quota.fullFor('a', 5_000 + KEPT_MS - 1)).toBeDefined();
    expect(quota.fullFor('a', 5_000 + KEPT_MS + 1_000)).toBeUndefined();
    quota.add('a', 66_000);
    expect(quota.fullFor('a', 66_000)).toBe(9_000 + KEPT_MS + 1_000 - 66_000);
  });

  it('asked again and again while it is full, keeps nothing alive by that', () => {
    quota.add('a', 0, MOST);
    for (let now = 0; now <= KEPT_MS; now += 500) expect(quota.fullFor('a', now)).toBeDefined();

    expect(quota.fullFor('a', KEPT_MS + 1_000)).toBeUndefined();
  });

  it('given some under way, counts them until they are over', () => {
    for (let n = 0; n < MOST; n += 1) quota.reserve('a');
    expect(quota.fullFor('a', 0)).toBe(1_000);
    quota.release('a');

    expect(quota.fullFor('a', 0)).toBeUndefined();
  });

  it('given counts in any order, as the stores have them at a start, knows the oldest', () => {
    quota.add('a', 30_000);
    quota.add('a', 10_000);
    quota.add('a', 20_000);

    expect(quota.fullFor('a', 30_000)).toBe(10_000 + KEPT_MS + 1_000 - 30_000);
    expect(quota.fullFor('a', 11_000 + KEPT_MS)).toBeUndefined();
  });
});
