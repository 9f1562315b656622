import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HashIndex, hashOf } from './hash-index.js';

/** Few hashes with equal lower bits, so that entries collide and move back over the end of the table. */
const hash = fc.constantFrom(0, 1, 7, 8, 15, 7 + 64, 2 ** 22 + 7, 2 ** 31 + 7, 2 ** 32 - 1);
const step = fc.record({ does: fc.constantFrom('set', 'set', 'delete' as const), hash, name: fc.nat(6) });

describe('a hash index', () => {
  it('given any steps and colliding hashes, finds the same entries as a map', () => {
    const property = fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const index = new HashIndex();
      const model = new Map<string, number>();
      const nameOf: string[] = [];
      for (const { does, hash: own, name } of steps) {
        const key = `${String(own)} ${String(name)}`;
        const isIt = (reference: number): boolean => nameOf[reference] === key;
        const known = model.get(key);
        if (does === 'set') {
          const reference = nameOf.push(key);
          nameOf[reference] = key;
          index.set(own, reference, isIt);
          model.set(key, reference);
        } else {
          index.delete(own, known ?? 1e9);
          model.delete(key);
        }
        if (index.find(own, isIt) !== model.get(key)) throw new Error(`${does} ${key}`);
        const wrong = [...model].filter(
          ([each, reference]) =>
            index.find(Number(each.split(' ')[0]), (other) => nameOf[other] === each) !== reference,
        );
        if (wrong.length > 0) throw new Error(`after ${does} ${key}: ${JSON.stringify(wrong)}`);
      }
    });

    fc.assert(property, { numRuns: 300 });
  });

  it('given 20,000 entries, finds each of them; after their removal, finds none', () => {
    const index = new HashIndex();
    const names = Array.from({ length: 20_000 }, (_, n) => `name ${String(n)}`);
    const find = (n: number): number | undefined => index.find(hashOf(names[n]!), (other) => other === n + 1);
    names.forEach((name, n) => {
      index.set(hashOf(name), n + 1, () => false);
    });
    expect(names.filter((_, n) => find(n) !== n + 1)).toEqual([]);
    names.forEach((name, n) => {
      index.delete(hashOf(name), n + 1);
    });
    expect(names.filter((_, n) => find(n) !== undefined)).toEqual([]);
  });
});
