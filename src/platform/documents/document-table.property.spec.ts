import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/support/any-character.js';
import { DocumentLines, type StoredDocument } from './document-line.js';
import type { DocumentId } from './document-op.js';
import { DocumentTable } from './document-table.js';
import { BLOCK_BYTES } from './packed-block.js';
import type { TableSnapshot } from './table-snapshot.js';

const NUMBERED = { counterField: 'orders_count' };

/** Both kinds of ids, equally many; the order of the text ids is neither numeric nor alphabetical. */
const KINDS = [
  { name: 'numbers and a counter', declaration: NUMBERED, asked: Array.from({ length: 16 }, (_, index) => index + 1) },
  {
    name: 'text and no counter',
    declaration: { ids: 'text' as const },
    asked: [
      '-',
      '0',
      '07',
      '10',
      '7',
      'A',
      'Z',
      '_',
      '__proto__',
      'a',
      'a-',
      'aa',
      'b',
      'constructor',
      'z'.repeat(64),
      'zz',
    ],
  },
];

type Model = ReadonlyMap<DocumentId, StoredDocument>;

type Step =
  | { readonly do: 'set'; readonly id: DocumentId; readonly document: StoredDocument }
  | { readonly do: 'delete'; readonly id: DocumentId }
  | { readonly do: 'bump' }
  | { readonly do: 'capture' }
  | { readonly do: 'rebase'; readonly skip: number };

const note = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: anyCharacter, maxLength: 5 }) },
  // Long enough that the documents fill several blocks.
  { weight: 1, arbitrary: fc.constant('"\n\\'.repeat(BLOCK_BYTES / 12)) },
);
const fields = fc.record({ name: note, isOld: fc.boolean() }, { requiredKeys: [] });

function arbitrarySteps(ids: readonly DocumentId[], hasCounter: boolean): fc.Arbitrary<Step[]> {
  const id = fc.constantFrom(...ids.slice(0, -1));
  const counterBase = hasCounter ? fc.integer({ min: -3, max: 3 }) : fc.constant(0);
  const document = fc.record({ fields, counterBase });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), id, document }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('bump' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('capture' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('rebase' as const), skip: fc.nat(1) }) },
  );
  return fc.array(step, { maxLength: 60, size: 'max' });
}

function inIdOrder([a]: readonly [DocumentId, ...unknown[]], [b]: readonly [DocumentId, ...unknown[]]): number {
  return a < b ? -1 : 1;
}

function linesOf(snapshot: TableSnapshot): string {
  return [...snapshot.blocks()].map(({ bytes }) => bytes.toString()).join(',\n');
}

function expectedLines(lines: DocumentLines, model: Model, counter: number): string {
  const sorted = [...model].toSorted(inIdOrder);
  return sorted.map(([found, stored]) => lines.format(found, stored, counter)).join(',\n');
}

function expectSame(table: DocumentTable, model: Model, asked: readonly DocumentId[], lowest: DocumentId): void {
  expect(table.size).toBe(model.size);
  for (const id of [lowest, ...asked]) {
    expect([table.has(id), table.get(id)]).toEqual([model.has(id), model.get(id)]);
  }
  const ids = [...model].toSorted(inIdOrder).map(([id]) => id);
  expect(table.page(lowest, Infinity)).toEqual(ids);
  for (const after of [asked[0]!, asked[3]!, asked[9]!]) {
    expect(table.page(after, 4)).toEqual(ids.filter((found) => found > after).slice(0, 4));
  }
}

describe('DocumentTable', () => {
  const sentence = 'given any changes, captures and rebases, behaves like a map, and captured snapshots do not change';

  it.each(KINDS)(`${sentence} ($name)`, ({ declaration, asked }) => {
    const lines = new DocumentLines(declaration);
    const { lowest } = lines.ids;
    const property = fc.property(arbitrarySteps(asked, lines.showCounter), (steps) => {
      const table = new DocumentTable(declaration);
      const model = new Map<DocumentId, StoredDocument>();
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
          taken.push({ snapshot, text: expectedLines(lines, model, counter), size: model.size });
          notRebased.push(snapshot);
        } else {
          const snapshot = notRebased[next.skip];
          if (snapshot === undefined) continue;
          table.rebase(snapshot);
          notRebased = [];
        }
      }

      expectSame(table, model, asked, lowest);
      for (const { snapshot, text, size } of taken) {
        expect([linesOf(snapshot), snapshot.count]).toEqual([text, size]);
        const restored = new DocumentTable(declaration);
        restored.restore(snapshot);
        expect(restored.page(lowest, Infinity)).toHaveLength(size);
      }
    });

    fc.assert(property, { numRuns: 150 });
  });

  it('given a full snapshot and few changes, packs only the changed blocks again', () => {
    const table = new DocumentTable(NUMBERED);
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

  it('given a snapshot from before the last rebase, refuses to rebase on it', () => {
    const table = new DocumentTable(NUMBERED);
    const [older, newer] = [table.capture(0), table.capture(0)];
    table.rebase(newer);

    expect(() => {
      table.rebase(older);
    }).toThrow('rebased since');
  });

  it('given many small snapshots, merges small blocks', () => {
    const table = new DocumentTable(NUMBERED);
    for (let next = 1; next <= 200; next += 1) {
      table.set(next, { fields: { name: 'x'.repeat(5_000) }, counterBase: 0 });
      table.rebase(table.capture(0));
    }

    const sizes = [...table.capture(0).blocks()].map(({ bytes }) => bytes.length);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(BLOCK_BYTES / 2);
  });
});
