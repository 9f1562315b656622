import { describe, expect, it } from '@jest/globals';
import type { CacheGeneration, CacheTier, SharedCacheTier } from '../../src/platform/cache/index.js';
import { eventually } from '../support/eventually.js';
import { cacheTierContract } from './cache-tier-contract.js';

const MORE_THAN_ONE_TURN = 450;

/** What GenerationCache expects of a tier that processes share. Several tests use one tier, each with keys of its own. */
export function sharedCacheTierContract(open: () => SharedCacheTier): void {
  let number = 0;
  const fresh = (): string => `db:${String(process.pid)}-${String((number += 1))}`;
  const at = (group: string, generation: number): CacheGeneration => ({ group, generation });
  const keyOf = ({ group, generation }: CacheGeneration, name = 'one'): string =>
    `${group}:${String(generation)}:${name}`;
  const VALUE = Buffer.from('value');

  describe('as a tier', () => {
    cacheTierContract((): CacheTier => {
      const [tier, group] = [open(), fresh()];
      return {
        get: (key) => tier.get(`${group}:${key}`),
        set: (key, value) => tier.set(`${group}:${key}`, value, at(group, 0)),
      };
    });
  });

  it('gives the lease on a key to one owner, and the others wait', async () => {
    const [tier, key] = [open(), fresh()];

    const claims = await Promise.all(['a', 'b', 'c'].map((owner) => tier.claim(key, owner)));

    expect(claims.toSorted()).toEqual(['load', 'wait', 'wait']);
  });

  it('whose value was set, gives it to every claim', async () => {
    const [tier, group] = [open(), fresh()];
    const key = keyOf(at(group, 1));
    await tier.claim(key, 'a');
    await tier.set(key, VALUE, at(group, 1), 'a');

    expect(await tier.claim(key, 'b')).toEqual(VALUE);
    await tier.remove(key);
    expect([await tier.get(key), await tier.claim(key, 'b')]).toEqual([undefined, 'load']);
  });

  it('lets another load when the owner of the lease releases it, and not when another process does', async () => {
    const [tier, key] = [open(), fresh()];
    await tier.claim(key, 'a');

    await tier.release(key, 'b');
    expect(await tier.claim(key, 'b')).toBe('wait');
    await tier.release(key, 'a');
    expect(await tier.claim(key, 'b')).toBe('load');
  });

  it('keeps the lease when a value is set without it', async () => {
    const [tier, group] = [open(), fresh()];
    const key = keyOf(at(group, 1));
    await tier.claim(key, 'a');
    await tier.set(key, VALUE, at(group, 1), 'b');
    await tier.remove(key);

    expect(await tier.claim(key, 'b')).toBe('wait');
  });

  it('lets another load when the owner of the lease never returns', async () => {
    const [tier, key] = [open(), fresh()];
    await tier.claim(key, 'a');

    await eventually(async () => {
      expect(await tier.claim(key, 'b')).toBe('load');
    });
  });

  it('removes all earlier generations of a group, and nothing else', async () => {
    const [tier, group, other] = [open(), fresh(), fresh()];
    const kept = [at(group, 3), at(group, 4), at(other, 1)];
    for (const generation of [at(group, 1), at(group, 2), ...kept]) {
      const names = Array.from({ length: generation.generation === 2 ? MORE_THAN_ONE_TURN : 1 }, (_, n) => String(n));
      await Promise.all(names.map((name) => tier.set(keyOf(generation, name), VALUE, generation)));
    }

    await tier.removeBefore(at(group, 3));

    const found = async (generation: CacheGeneration, name: string): Promise<boolean> =>
      (await tier.get(keyOf(generation, name))) !== undefined;
    const removed = [found(at(group, 1), '0')];
    for (let name = 0; name < MORE_THAN_ONE_TURN; name += 1) removed.push(found(at(group, 2), String(name)));
    expect((await Promise.all(removed)).filter(Boolean)).toEqual([]);
    expect(await Promise.all(kept.map((generation) => found(generation, '0')))).toEqual([true, true, true]);
  });
}
