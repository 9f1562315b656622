import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CacheTier } from '../../src/platform/cache/index.js';

/** The behaviour that GenerationCache needs of a tier, in this process or outside of it. */
export function cacheTierContract(open: () => CacheTier): void {
  it('returns undefined for a key that was never set', async () => {
    expect(await open().get('db:1:books:0:1')).toBeUndefined();
  });

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['text', Buffer.from('{"title":"Faust ✓"}')],
    ['bytes that are not text', Buffer.from([0, 255, 10, 13, 128])],
    ['many bytes', Buffer.alloc(100_000, 7)],
  ])('returns %s unchanged', async (_what, bytes) => {
    const tier = open();
    await tier.set('key', bytes);

    expect(await tier.get('key')).toEqual(bytes);
  });

  it('distinguishes keys with a common beginning, also with colons, blanks and other alphabets', async () => {
    const keys = ['a', 'a:', 'a:b', 'a b', 'ä', 'after=1&limit=2', 'after=1&limit=20'];
    const tier = open();
    for (const key of keys) await tier.set(key, Buffer.from(key));

    for (const key of keys) expect((await tier.get(key))?.toString()).toBe(key);
  });

  it('given two concurrent sets of one key, holds the value', async () => {
    const tier = open();
    await Promise.all([tier.set('key', Buffer.from('same')), tier.set('key', Buffer.from('same'))]);

    expect((await tier.get('key'))?.toString()).toBe('same');
  });

  it('given any concurrent calls, returns the value of the key or undefined', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('get', 'set'), fc.integer({ min: 0, max: 5 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const tier = open();
        await Promise.all(
          sequence.map(async ([kind, number]) => {
            const value = `value ${String(number)}`;
            if (kind === 'set') await tier.set(String(number), Buffer.from(value));
            else expect([undefined, value]).toContain((await tier.get(String(number)))?.toString());
          }),
        );
      }),
    );
  });
}
