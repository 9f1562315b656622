import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DocumentLines, type StoredDocument } from './document-line.js';
import { DocumentTable } from './document-table.js';
import { BLOCK_BYTES } from './packed-block.js';
import type { TableSnapshot } from './table-snapshot.js';

const COUNTER = 'orders_count';
const LINES = new DocumentLines(COUNTER);

type Model = ReadonlyMap<number, StoredDocument>;

type Step =
  | { readonly do: 'set'; readonly id: number; readonly document: StoredDocument }
  | { readonly do: 'delete'; readonly id: number }
  | { readonly do: 'bump' }
  | { readonly do: 'capture' }
  | { readonly do: 'rebase'; readonly skip: number };

const id = fc.integer({ min: 1, max: 15 });
const note = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }) },
  // So long that the documents fill several blocks.
  { weight: 1, arbitrary: fc.constant('"\n\\'.repeat(BLOCK_BYTES / 12)) },
);
const document = fc.record({
  fields: fc.record({ name: note, isOld: fc.boolean() }, { requiredKeys: [] }),
  counterBase: fc.integer({ min: -3, max: 3 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), id, document }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('bump' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('capture' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rebase' as const), skip: fc.nat(1) }) },
);

function linesOf(snapshot: TableSnapshot): string {
  return [...snapshot.blocks()].map(({ bytes }) => bytes.toString()).join(',\n');
}

function expectedLines(model: Model, counter: number): string {
  const sorted = [...model].toSorted(([a], [b]) => a - b);
  return sorted.map(([found, stored]) => LINES.format(found, stored, counter)).join(',\n');
}

function expectSame(table: DocumentTable, model: Model): void {
  expect(table.size).toBe(model.size);
  for (let asked = 0; asked <= 16; asked += 1) {
    expect([table.has(asked), table.get(asked)]).toEqual([model.has(asked), model.get(asked)]);
  }
  const ids = [...model.keys()].toSorted((a, b) => a - b);
  expect(table.page(-Infinity, Infinity)).toEqual(ids);
  for (const after of [0, 3, 9]) {
    expect(table.page(after, 4)).toEqual(ids.filter((found) => found > after).slice(0, 4));
  }
}

describe('DocumentTable', () => {
  it('given any changes, captures and rebases, is like a map, and what was captured stays as it was', () => {
    const property = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const table = new DocumentTable(COUNTER);
      const model = new Map<number, StoredDocument>();
      const taken: { readonly snapshot: TableSnapshot; readonly text: string; readonly size: number }[] = [];
      let counter = 0;
      let notRebased: TableSnapshot[] = [];
      for (const next of steps) {
        if (next.do === 'set') {
          table.set(next.id, next.document);
          model.set(next.id, next.document);
        } else if (next.do === 'delete') {
          table.delete(next.id);
          model.delete(next.id);
        } else if (next.do === 'bump') {
          counter += 1;
        } else if (next.do === 'capture') {
          const snapshot = table.capture(counter);
          taken.push({ snapshot, text: expectedLines(model, counter), size: model.size });
          notRebased.push(snapshot);
        } else {
          const snapshot = notRebased[next.skip];
          if (snapshot === undefined) continue;
          table.rebase(snapshot);
          notRebased = [];
        }
      }

      expectSame(table, model);
      for (const { snapshot, text, size } of taken) {
        expect([linesOf(snapshot), snapshot.count]).toEqual([text, size]);
        const restored = new DocumentTable(COUNTER);
        restored.restore(snapshot);
        expect(restored.page(-Infinity, Infinity)).toHaveLength(size);
      }
    });

    fc.assert(property, { numRuns: 150 });
  });

  it('given a snapshot of it all and few changes, packs only the blocks anew in which something has changed', () => {
    const table = new DocumentTable(COUNTER);
    const stored = { fields: { name: 'x'.repeat(1_000) }, counterBase: 0 };
    for (let next = 1; next <= 2_000; next += 1) table.set(next, stored);
    const first = table.capture(0);
    const before = [...first.blocks()];
    table.rebase(first);
    table.set(1, { ...stored, counterBase: 7 });
    table.set(2_001, stored);

    const after = [...table.capture(0).blocks()];

    expect(before.length).toBeGreaterThan(5);
    expect(after.filter((block) => before.includes(block)).length).toBeGreaterThanOrEqual(before.length - 2);
    expect(before.includes(after[0]!)).toBe(false);
  });

  it('given a snapshot that was captured before the last rebase, refuses to rebase on it', () => {
    const table = new DocumentTable(COUNTER);
    const [older, newer] = [table.capture(0), table.capture(0)];
    table.rebase(newer);

    expect(() => {
      table.rebase(older);
    }).toThrow('rebased since');
  });

  it('given ever more small snapshots, keeps no ever smaller blocks', () => {
    const table = new DocumentTable(COUNTER);
    for (let next = 1; next <= 200; next += 1) {
      table.set(next, { fields: { name: 'x'.repeat(5_000) }, counterBase: 0 });
      table.rebase(table.capture(0));
    }

    const sizes = [...table.capture(0).blocks()].map(({ bytes }) => bytes.length);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(BLOCK_BYTES / 2);
  });
});
