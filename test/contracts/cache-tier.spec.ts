import { describe, expect, it } from '@jest/globals';
import { memoryTier } from '../../src/platform/cache/index.js';
import { cacheTierContract } from './cache-tier-contract.js';
import { sharedCacheTierContract } from './shared-cache-tier-contract.js';
import { SimulatedCacheTier } from '../support/simulated-cache-tier.js';

describe('the cache tier in this process', () => {
  const open = (maxBytes = 1_000_000): ReturnType<typeof memoryTier<Buffer>> => memoryTier(maxBytes, (bytes) => bytes);

  cacheTierContract(open);

  it('answers without a promise', () => {
    const tier = open();
    tier.set('key', Buffer.from('value'));

    expect(tier.get('key')?.toString()).toBe('value');
  });

  it('that is full forgets the least recently used entry', () => {
    const tier = open(1_000);
    for (const key of ['a', 'b', 'a', 'c']) {
      if (tier.get(key) === undefined) tier.set(key, Buffer.alloc(200));
    }

    expect(['a', 'b', 'c'].map((key) => tier.has(key))).toEqual([true, false, true]);
  });
});

describe('the simulated cache tier that processes share', () => {
  sharedCacheTierContract(() => new SimulatedCacheTier());

  it('that fails rejects', async () => {
    const tier = new SimulatedCacheTier();
    tier.isFailing = true;

    await expect(tier.get('key')).rejects.toThrow('the tier is away');
    await expect(tier.claim('key', 'a')).rejects.toThrow('the tier is away');
  });
});
