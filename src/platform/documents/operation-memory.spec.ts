import { beforeEach, describe, expect, it } from '@jest/globals';
import { OperationMemory, type RememberedOperation } from './operation-memory.js';

const HOUR_MS = 3_600_000;
const MAX_WITH_KEY = 100_000;
const MAX_WITHOUT_KEY = 1_000;

const outcome = { change: 'deleted', collection: 'customers' } as const;
const withKey = (n: number, at: number): RememberedOperation => ({
  id: `id ${String(n)}`,
  scope: `scope ${String(n)}`,
  bodyHmac: '',
  at,
  commit: '1.1',
  outcome,
});
const withoutKey = (n: number, at: number): RememberedOperation => ({
  id: `plain ${String(n)}`,
  at,
  commit: '1.1',
  outcome,
});

describe('OperationMemory', () => {
  it.each([
    [24 * HOUR_MS - 1, true],
    [24 * HOUR_MS, false],
  ])('given a record %i ms after an operation with a key, still knows the operation: %s', (passedMs, isKnown) => {
    const memory = new OperationMemory();
    memory.record(withKey(1, 5));
    memory.record(withoutKey(2, 5 + passedMs));

    expect([memory.findByScope('scope 1') !== undefined, memory.findById('id 1') !== undefined]).toEqual([
      isKnown,
      isKnown,
    ]);
  });

  it('given no later record, keeps an operation whatever the clock shows', () => {
    const memory = new OperationMemory();
    memory.record(withKey(1, 0));

    expect(memory.findByScope('scope 1')).toEqual(withKey(1, 0));
  });

  it('given an operation without a key, forgets it after ten minutes of records', () => {
    const memory = new OperationMemory();
    memory.record(withoutKey(1, 0));
    memory.record(withKey(2, HOUR_MS / 6 - 1));
    expect(memory.findById('plain 1')).toBeDefined();
    memory.record(withKey(3, HOUR_MS / 6));

    expect(memory.findById('plain 1')).toBeUndefined();
  });

  it('given the key of a day-old operation, finds only the new operation by it, also after a restart', () => {
    const memory = new OperationMemory();
    memory.record(withKey(1, 0));
    memory.record({ ...withKey(2, 24 * HOUR_MS), scope: 'scope 1' });
    memory.record(withoutKey(3, 24 * HOUR_MS + 1));
    const again = new OperationMemory();
    for (const operation of [...memory.capture()]) again.record(operation);

    for (const each of [memory, again]) {
      expect([each.findByScope('scope 1')?.id, each.findById('id 1')]).toEqual(['id 2', undefined]);
    }
  });

  it('by the first rule, given more of one kind than its limit, forgets the oldest of that kind', () => {
    const memory = new OperationMemory();
    for (let n = 1; n <= MAX_WITH_KEY + 5; n += 1) memory.record(withKey(n, 0));
    for (let n = 1; n <= MAX_WITHOUT_KEY + 5; n += 1) memory.record(withoutKey(n, 0));

    expect([...memory.capture()]).toHaveLength(MAX_WITH_KEY + MAX_WITHOUT_KEY);
    expect([memory.findByScope('scope 5'), memory.findById('plain 5')]).toEqual([undefined, undefined]);
    expect([memory.findByScope('scope 6'), memory.findById('plain 6')]).toEqual([withKey(6, 0), withoutKey(6, 0)]);
  });

  describe('by the second rule', () => {
    let memory: OperationMemory;
    beforeEach(() => {
      memory = new OperationMemory();
      memory.retention = 2;
    });

    it('given very many keyed writes of other callers, still knows the first key', () => {
      for (let n = 1; n <= MAX_WITH_KEY + 10; n += 1) memory.record({ ...withKey(n, n), owner: n === 1 ? 'a' : 'b' });

      expect(memory.findByScope('scope 1')?.id).toBe('id 1');
    });

    it('given 100,000 writes without a key, knows all of them, and forgets the first at the next write', () => {
      for (let n = 1; n <= 100_000; n += 1) memory.record(withoutKey(n, 0));
      expect(memory.findById('plain 1')).toBeDefined();
      memory.record(withoutKey(100_001, 0));

      expect([memory.findById('plain 1'), memory.findById('plain 2')?.id]).toEqual([undefined, 'plain 2']);
    });

    it('given any number of added keys, knows them for two minutes of records, and then forgets two with each record', () => {
      for (let n = 1; n <= 7; n += 1) memory.record({ ...withKey(n, 0), owner: '+' });
      memory.record(withoutKey(1, 120_000 - 1));
      expect(memory.findByScope('scope 1')).toBeDefined();
      const left = [2, 3, 4, 5].map((n) => {
        memory.record(withoutKey(n, 120_000));
        return [...memory.capture()].filter(({ owner }) => owner === '+').length;
      });

      expect(left).toEqual([5, 3, 1, 0]);
      expect([memory.findById('id 1'), memory.findByScope('scope 7')]).toEqual([undefined, undefined]);
    });

    it('given thousands of expired operations, forgets at most two of a kind per record, and all of them before as many records have come', () => {
      const KEPT = 6_000;
      for (let n = 0; n < KEPT; n += 1) {
        memory.record({ ...withKey(n, 0), owner: 'a' });
        memory.record({ ...withKey(KEPT + n, 0), owner: '+' });
        memory.record(withoutKey(n, 0));
      }
      const recordNew = (count: number): number => {
        for (let n = 0; n < count; n += 1) memory.record({ ...withKey(2 * KEPT + n, 24 * HOUR_MS), owner: 'b' });
        return [...memory.capture()].filter(({ at }) => at === 0).length;
      };

      expect(recordNew(200)).toBe(3 * KEPT - 3 * 2 * 200);
      expect(recordNew(KEPT / 2 - 200)).toBe(0);
    });

    it('counts the keys of each owner, also after a restart', () => {
      memory.record({ ...withKey(1, 5), owner: 'a' });
      memory.record({ ...withKey(2, 6), owner: '+' });
      memory.record(withKey(3, 7));
      memory.record(withoutKey(4, 8));
      const again = new OperationMemory();
      again.retention = 2;
      for (const operation of [...memory.capture()]) again.record(operation);

      expect([...memory.heldKeys()]).toEqual([
        { owner: 'a', atMs: 0, count: 1 },
        { owner: '+', atMs: 0, count: 1 },
      ]);
      expect([...again.heldKeys()]).toEqual([...memory.heldKeys()]);
    });
  });
});
