import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SortedIds } from './sorted-ids.js';

const MANY = 100_000;

describe('SortedIds', () => {
  it('given any additions and removals, pages as a sorted set does', () => {
    const changes = fc.array(fc.nat(60), { maxLength: 80 });
    fc.assert(
      fc.property(changes, fc.nat(60), fc.nat(10), (toggled, after, limit) => {
        const ids = new SortedIds();
        const model = new Set<number>();
        for (const id of toggled) {
          if (model.has(id)) ids.remove(id);
          else ids.add(id);
          if (!model.delete(id)) model.add(id);
        }

        const expected = [...model].filter((id) => id > after).sort((a, b) => a - b);
        expect(ids.page(after, limit)).toEqual(expected.slice(0, limit));
        expect(ids.size).toBe(model.size);
      }),
    );
  });

  it(`given ${String(MANY)} ids, looks at no more of them for a page than a binary search does`, () => {
    const ids = new SortedIds();
    for (let id = 1; id <= MANY; id += 1) ids.add(id);
    let looks = 0;
    const hidden = ids as unknown as { ids: number[] };
    hidden.ids = new Proxy(hidden.ids, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) looks += 1;
        return Reflect.get(target, name, target) as unknown;
      },
    });

    expect(ids.page(70_000, 10)).toEqual(Array.from({ length: 10 }, (_, index) => 70_001 + index));
    expect(looks).toBeLessThan(2 * Math.log2(MANY));
  });
});
