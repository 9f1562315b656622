import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/support/any-character.js';
import { OperationMemory, type RememberedOperation } from './operation-memory.js';

const DAY_MS = 24 * 3_600_000;
const KEPT_MS = { '+': 120_000, a: DAY_MS, b: DAY_MS, none: 600_000 };

const step = fc.record({
  owner: fc.constantFrom('+', 'a', 'b', 'none' as const),
  scope: fc.nat(20),
  name: fc.string({ unit: anyCharacter, maxLength: 300 }),
  afterMs: fc.oneof({ weight: 8, arbitrary: fc.nat(1_000) }, fc.constantFrom(60_000, 300_000, DAY_MS / 3)),
  repeat: fc.nat(60),
});

function operationOf(
  { owner, scope, name }: { owner: string; scope: number; name: string },
  n: number,
  at: number,
): RememberedOperation {
  const keyed = owner === 'none' ? {} : { scope: `${owner} ${String(scope)}`, bodyHmac: 'h', owner };
  const outcome = { change: 'created', collection: 'customers', document: { id: n, name } } as const;
  return { id: `id ${String(n)}`, ...keyed, at, commit: `1.${String(n)}`, outcome };
}

/** One record forgets at most two operations of each kind. */
function forgotten(kept: readonly RememberedOperation[], now: number): RememberedOperation[] {
  const left = { keyed: 2, added: 2, unkeyed: 2 };
  return kept.filter(({ owner = 'none', at }) => {
    const kind = owner === '+' ? 'added' : owner === 'none' ? 'unkeyed' : 'keyed';
    if (at + KEPT_MS[owner as 'a'] > now || left[kind] === 0) return true;
    left[kind] -= 1;
    return false;
  });
}

describe('OperationMemory', () => {
  it('given any operations, finds the remembered ones by id and the latest by key, also after a restart', () => {
    const property = fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const memory = new OperationMemory();
      memory.retention = 2;
      const all: RememberedOperation[] = [];
      let kept: RememberedOperation[] = [];
      for (const next of steps) {
        const at = (all.at(-1)?.at ?? 0) + next.afterMs;
        for (let n = 0; n <= next.repeat; n += 1) {
          const operation = operationOf(next, all.length, at);
          all.push(operation);
          kept = forgotten([...kept, operation], at);
          memory.record(operation);
        }
      }
      const restored = new OperationMemory();
      restored.retention = 2;
      Array.from(restored.restoring(memory.capture()));
      const known = new Set(kept);
      for (const each of [memory, restored]) {
        expect([...each.capture()].map(({ id }) => id).sort()).toEqual(kept.map(({ id }) => id).sort());
        const wrong = all.filter((operation) => {
          const { id, scope } = operation;
          const latest = all.findLast((other) => other.scope === scope);
          const expected = latest && known.has(latest) ? latest.id : undefined;
          const byScope = scope === undefined ? expected : each.findByScope(scope)?.id;
          return each.findById(id)?.id !== (known.has(operation) ? id : undefined) || byScope !== expected;
        });
        expect(wrong).toEqual([]);
      }
      expect([...restored.capture()]).toEqual([...memory.capture()]);
    });

    fc.assert(property, { numRuns: 30 });
  });

  it('given a captured copy, does not change it when operations are recorded or forgotten later', () => {
    const memory = new OperationMemory();
    memory.retention = 2;
    const record = (n: number, at: number): void =>
      memory.record(operationOf({ owner: '+', scope: n, name: 'x'.repeat(n % 500) }, n, at));
    for (let n = 0; n < 1_500; n += 1) record(n, n);
    const captured = memory.capture();
    const before = [...captured];
    for (let n = 1_500; n < 4_000; n += 1) record(n, 200_000 + n);

    expect(before).toHaveLength(1_500);
    expect([...captured]).toEqual(before);
    expect([...memory.capture()]).toHaveLength(2_500);
  });
});
