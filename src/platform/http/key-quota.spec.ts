import { beforeEach, describe, expect, it } from '@jest/globals';
import { HeldKeyCounts, type HeldKeys } from '../../kernel/index.js';
import { addHeldKeys, countHeldKeys, KeyQuota } from './key-quota.js';

const MOST = 3;
const KEPT_MS = 60_000;

const SEARCHES = [
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'some',
  'every',
  'filter',
  'forEach',
  'sort',
] as const;

type Method = (...given: readonly unknown[]) => unknown;

/** How often the methods of arrays that look at many entries look at one, while `work` goes on. */
async function looksDuring(work: () => Promise<void>): Promise<number> {
  let looks = 0;
  const originals = SEARCHES.map((name) => [name, Array.prototype[name] as Method] as const);
  for (const [name, method] of originals) {
    Reflect.set(Array.prototype, name, function (this: unknown, look: Method) {
      return method.call(this, (...given: readonly unknown[]) => {
        looks += 1;
        return look(...given);
      });
    });
  }
  try {
    await work();
  } finally {
    for (const [name, method] of originals) Reflect.set(Array.prototype, name, method);
  }
  return looks;
}

describe('a quota of keys', () => {
  let quota: KeyQuota;

  beforeEach(() => {
    quota = new KeyQuota(MOST, KEPT_MS);
  });

  it('given one owner at the maximum, has no room for that owner and full room for others', () => {
    for (let n = 0; n < MOST; n += 1) {
      expect(quota.fullFor('a', 0)).toBeUndefined();
      quota.add('a', 0);
    }

    expect(quota.fullFor('a', 0)).toBe(KEPT_MS + 1_000);
    expect(quota.fullFor('b', 0)).toBeUndefined();
  });

  it('judged at a later time, has room as soon as the oldest key has expired, even without a new record', () => {
    quota.add('a', 5_000);
    quota.add('a', 9_000, 2);

    expect(quota.fullFor('a', 5_000 + KEPT_MS - 1)).toBeDefined();
    expect(quota.fullFor('a', 5_000 + KEPT_MS + 1_000)).toBeUndefined();
    quota.add('a', 66_000);
    expect(quota.fullFor('a', 66_000)).toBe(9_000 + KEPT_MS + 1_000 - 66_000);
  });

  it('given repeated requests while it is full, keeps no key alive because of them', () => {
    quota.add('a', 0, MOST);
    for (let now = 0; now <= KEPT_MS; now += 500) expect(quota.fullFor('a', now)).toBeDefined();

    expect(quota.fullFor('a', KEPT_MS + 1_000)).toBeUndefined();
  });

  it('given keys in progress, counts them until they end', () => {
    for (let n = 0; n < MOST; n += 1) quota.reserve('a');
    expect(quota.fullFor('a', 0)).toBe(1_000);
    quota.release('a');

    expect(quota.fullFor('a', 0)).toBeUndefined();
  });

  it('given counts in any order, as stores report them at a start, knows the oldest', () => {
    quota.add('a', 30_000);
    quota.add('a', 10_000);
    quota.add('a', 20_000);

    expect(quota.fullFor('a', 30_000)).toBe(10_000 + KEPT_MS + 1_000 - 30_000);
    expect(quota.fullFor('a', 11_000 + KEPT_MS)).toBeUndefined();
  });

  it('given counts that were made ahead, and keys of another store, counts all of them', async () => {
    const held = new HeldKeyCounts();
    held.add('a', 20_500, 1);
    held.add('a', 10_500, 1);
    held.add('b', 10_500, 2);
    held.add('b', 10_700, -1);
    await addHeldKeys(held, () => quota, setImmediate);
    await countHeldKeys([{ owner: 'a', atMs: 15_000, count: 1 }], () => quota, setImmediate);

    expect(quota.fullFor('a', 30_000)).toBe(11_000 + KEPT_MS - 30_000);
    expect(quota.fullFor('b', 30_000)).toBeUndefined();
    quota.add('b', 30_000, 2);
    expect(quota.fullFor('b', 30_000)).toBe(11_000 + KEPT_MS - 30_000);
    expect([...held]).toEqual([]);
  });

  it.each([
    ['the same seconds', 0],
    ['other seconds, in between', 1],
  ])('counted at a start from two stores with keys in %s, reads each only a few times', async (_which, shift) => {
    const SECONDS = 5_000;
    const held = function* (from: number): Generator<HeldKeys> {
      for (let n = 0; n < SECONDS; n += 1) yield { owner: 'a', atMs: (2 * n + from) * 1_000, count: 1 };
    };
    const large = new KeyQuota(2 * SECONDS, 2 * SECONDS * 1_000);
    let fullForMs: number | undefined;
    const looks = await looksDuring(async () => {
      for (const from of [0, shift]) await countHeldKeys(held(from), () => large, setImmediate);
      fullForMs = large.fullFor('a', 0);
    });

    expect(fullForMs).toBe(1_000 + 2 * SECONDS * 1_000);
    expect(looks).toBeLessThan(20 * 2 * SECONDS);
    expect(large.fullFor('a', (1 + 2 * SECONDS) * 1_000)).toBeUndefined();
  });
});
