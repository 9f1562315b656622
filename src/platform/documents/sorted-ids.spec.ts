import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DocumentId } from './document-op.js';
import { idKindOf } from './id-kind.js';
import { SortedIds } from './sorted-ids.js';

const MANY = 100_000;
const NUMBERS = idKindOf({});
const TEXT = idKindOf({ ids: 'text' });

describe('SortedIds', () => {
  it.each([
    {
      kind: NUMBERS,
      name: 'numbers',
      id: fc.nat(60),
      inOrder: (a: DocumentId, b: DocumentId) => Number(a) - Number(b),
    },
    {
      kind: TEXT,
      name: 'text',
      id: fc.string({ unit: fc.constantFrom(...'017aA_-'), maxLength: 3 }),
      inOrder: undefined,
    },
  ])('given any additions and removals of $name, pages as a sorted set does', ({ kind, id: anyId, inOrder }) => {
    fc.assert(
      fc.property(fc.array<DocumentId>(anyId, { maxLength: 80 }), anyId, fc.nat(10), (toggled, after, limit) => {
        const ids = new SortedIds(kind);
        const model = new Set<DocumentId>();
        for (const id of toggled) {
          if (model.has(id)) ids.remove(id);
          else ids.add(id);
          if (!model.delete(id)) model.add(id);
        }

        const expected = [...model].filter((id) => id > after).sort(inOrder);
        expect(ids.page(after, limit)).toEqual(expected.slice(0, limit));
        expect(ids.size).toBe(model.size);
      }),
    );
  });

  it(`given ${String(MANY)} ids, reads no more of them for a page than a binary search does`, () => {
    const ids = new SortedIds(NUMBERS);
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
