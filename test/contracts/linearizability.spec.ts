import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ABSENT,
  linearizabilityViolations,
  type RegisterOperation,
  type RegisterValue,
} from '../support/linearizability.js';
import { SeededRandom } from '../support/seeded-random.js';

const NEVER = Infinity;

const wrote = (value: RegisterValue, beganAt: number, answeredAt: number, client = 'W'): RegisterOperation => ({
  ...{ client, kind: 'write', value },
  ...{ beganAt, answeredAt },
});
const read = (value: RegisterValue, beganAt: number, answeredAt: number, client = 'R'): RegisterOperation => ({
  ...{ client, kind: 'read', value },
  ...{ beganAt, answeredAt },
});

/** Tries every order that keeps to real time; a write without an answer may also be left out. One deletion takes effect. */
function canBeExplained(
  history: readonly RegisterOperation[],
  value: RegisterValue = ABSENT,
  isDeleted = false,
): boolean {
  if (history.every(({ answeredAt }) => answeredAt === NEVER)) return true;
  const firstAnswer = Math.min(...history.map(({ answeredAt }) => answeredAt));
  return history.some((next) => {
    if (next.beganAt > firstAnswer) return false;
    const rest = history.filter((operation) => operation !== next);
    if (next.kind === 'read') return next.value === value && canBeExplained(rest, value, isDeleted);
    const isDeletion = next.value === ABSENT;
    return !(isDeletion && isDeleted) && canBeExplained(rest, next.value, isDeleted || isDeletion);
  });
}

/** The history of a real register: each operation takes effect at one moment between its start and its answer. */
function seenOfARegister(random: SeededRandom, operations: number): RegisterOperation[] {
  const planned = Array.from({ length: operations }, (_, index) => {
    const beganAt = random.below(30);
    const takesEffectAt = beganAt + random.below(8);
    const isWrite = random.chance(0.4);
    const isLost = isWrite && random.chance(0.2);
    const answeredAt = isLost ? NEVER : takesEffectAt + random.below(8);
    return { index, beganAt, answeredAt, takesEffectAt: isLost && random.chance(0.5) ? NEVER : takesEffectAt, isWrite };
  }).toSorted((a, b) => a.takesEffectAt - b.takesEffectAt);
  const deleted = random.chance(0.5) ? planned.findLast(({ isWrite }) => isWrite)?.index : undefined;
  let value: RegisterValue = ABSENT;
  return planned.map(({ index, isWrite, beganAt, answeredAt }) => {
    if (!isWrite) return read(value, beganAt, answeredAt, `R${String(index)}`);
    value = index === deleted ? ABSENT : `v${String(index)}`;
    return wrote(value, beganAt, answeredAt, `W${String(index)}`);
  });
}

const times = fc
  .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 6 }))
  .map(([beganAt, length]) => ({ beganAt, answeredAt: beganAt + length }));
/** Writes of distinct values, at most one acknowledged deletion, and reads of anything. */
const anyHistory = fc
  .tuple(
    fc.array(fc.record({ at: times, isLost: fc.boolean() }), { maxLength: 4 }),
    fc.array(fc.record({ at: times, isLost: fc.boolean() }), { maxLength: 2 }),
    fc.array(fc.record({ at: times, value: fc.constantFrom(ABSENT, 'v0', 'v0', 'v1', 'v1', 'v2', 'v3') }), {
      maxLength: 5,
    }),
  )
  .map(([writes, deletions, reads]) => [
    ...writes.map(({ at, isLost }, index) => wrote(`v${String(index)}`, at.beganAt, isLost ? NEVER : at.answeredAt)),
    ...deletions.map(({ at, isLost }, index) => wrote(ABSENT, at.beganAt, isLost || index > 0 ? NEVER : at.answeredAt)),
    ...reads.map(({ at, value }) => read(value, at.beganAt, at.answeredAt)),
  ]);

describe('a history of one register', () => {
  it('of any kind, is accepted exactly when some order explains it', () => {
    const seen = { explained: 0, refused: 0 };
    fc.assert(
      fc.property(anyHistory, (history) => {
        const expected = canBeExplained(history);
        seen[expected ? 'explained' : 'refused'] += 1;
        expect(linearizabilityViolations(history).length === 0).toBe(expected);
      }),
      { numRuns: 4_000 },
    );
    expect(Math.min(seen.explained, seen.refused)).toBeGreaterThan(500);
  });

  it('of a real register is accepted; with one changed answer, exactly when some order explains it', () => {
    const seen = { explained: 0, refused: 0 };
    for (let seed = 1; seed <= 1_500; seed += 1) {
      const random = new SeededRandom(seed);
      const history = seenOfARegister(random, 7);
      expect({ seed, found: linearizabilityViolations(history) }).toEqual({ seed, found: [] });

      const values = [ABSENT, ...history.filter(({ kind }) => kind === 'write').map(({ value }) => value)];
      const victim = history[random.below(history.length)]!;
      if (victim.kind === 'write') continue;
      const changed = [...history.filter((operation) => operation !== victim)];
      changed.push({ ...victim, value: values[random.below(values.length)]! });
      const expected = canBeExplained(changed);
      seen[expected ? 'explained' : 'refused'] += 1;
      expect({ seed, isAccepted: linearizabilityViolations(changed).length === 0 }).toEqual({
        seed,
        isAccepted: expected,
      });
    }
    expect(Math.min(seen.explained, seen.refused)).toBeGreaterThan(200);
  });

  it.each<[string, RegisterOperation[], string]>([
    [
      'a stale read: the version before one that was acknowledged',
      [wrote('one', 0, 1), wrote('two', 2, 3), read('one', 4, 5)],
      'R read "one" from 4.0 to 5.0 ms, which is stale: W wrote "two" from 2.0 to 3.0 ms, after W wrote "one" from 0.0 to 1.0 ms',
    ],
    [
      'the old version after another reader saw the new one',
      [wrote('one', 0, 1), wrote('two', 2, NEVER), read('two', 3, 4, 'R1'), read('one', 5, 6, 'R2')],
      'R2 read "one" from 5.0 to 6.0 ms, which is stale: R1 read "two" from 3.0 to 4.0 ms, after W wrote "one" from 0.0 to 1.0 ms',
    ],
    [
      'two readers that saw two writes in opposite orders',
      [
        ...[wrote('one', 0, 9), wrote('two', 0, 9)],
        ...[read('one', 1, 2, 'R1'), read('two', 3, 4, 'R1'), read('two', 1, 2, 'R2'), read('one', 3, 4, 'R2')],
      ],
      'R2 read "one" from 3.0 to 4.0 ms, which is stale: R2 read "two" from 1.0 to 2.0 ms, and R1 read "two" from 3.0 to 4.0 ms, after R1 read "one" from 1.0 to 2.0 ms',
    ],
    [
      'a lost acknowledged write',
      [wrote('one', 0, 1), read(ABSENT, 2, 3)],
      'R found nothing from 2.0 to 3.0 ms, which is stale: W wrote "one" from 0.0 to 1.0 ms, after it was absent at first',
    ],
    [
      'a read after a deletion',
      [wrote('one', 0, 1), wrote(ABSENT, 2, 3), read('one', 4, 5)],
      'R read "one" from 4.0 to 5.0 ms, which is stale: W deleted it from 2.0 to 3.0 ms, after W wrote "one" from 0.0 to 1.0 ms',
    ],
    [
      'a deletion that a later read does not see',
      [wrote('one', 0, 1), wrote(ABSENT, 2, NEVER), read(ABSENT, 3, 4, 'R1'), read('one', 5, 6, 'R2')],
      'R2 read "one" from 5.0 to 6.0 ms, which is stale: R1 found nothing from 3.0 to 4.0 ms, after W wrote "one" from 0.0 to 1.0 ms',
    ],
    [
      'a value from nowhere',
      [wrote('one', 0, 1), read('other', 2, 3)],
      'R read "other" from 2.0 to 3.0 ms, which no client has written',
    ],
    [
      'a value from the future',
      [wrote('one', 3, 4), read('one', 1, 2)],
      'R read "one" from 1.0 to 2.0 ms, before W wrote "one" from 3.0 to 4.0 ms',
    ],
  ])('with %s is refused with a description', (_what, history, sentence) => {
    expect(linearizabilityViolations(history)).toEqual([sentence]);
    expect(linearizabilityViolations(history.toReversed())).toHaveLength(1);
  });

  it.each<[string, RegisterOperation[]]>([
    ['nothing', []],
    ['concurrent writes, read in any order', [wrote('one', 0, 5), wrote('two', 0, 5), read('two', 6, 7)]],
    [
      'a write without an answer, read late',
      [wrote('one', 0, 1), wrote('two', 2, NEVER), read('one', 3, 4), read('two', 9, 10)],
    ],
    ['a write without an answer, never read', [wrote('one', 0, NEVER), wrote('two', 2, 3), read('two', 9, 10)]],
    ['a read that a write overlaps', [wrote('one', 0, 1), wrote('two', 2, 6), read('one', 3, 4), read('two', 5, 7)]],
    ['a read that begins as a write is answered', [wrote('one', 0, 1), wrote('two', 2, 3), read('one', 3, 4)]],
    [
      'several deletions without an answer',
      [wrote('one', 0, 1), wrote(ABSENT, 2, NEVER), wrote(ABSENT, 8, NEVER), read(ABSENT, 4, 5)],
    ],
    ['a read without an answer', [wrote('one', 0, 1), read('other', 2, NEVER)]],
  ])('with %s is accepted', (_what, history) => {
    expect(linearizabilityViolations(history)).toEqual([]);
  });

  it('of 50,000 operations with one stale read names only that read', () => {
    const history: RegisterOperation[] = [];
    for (let index = 0; index < 25_000; index += 1) {
      history.push(wrote(`v${String(index)}`, index, index + 0.5), read(`v${String(index)}`, index + 0.4, index + 1.2));
    }
    const stale = read('v41', 20_000.6, 20_000.7, 'stale reader');

    expect(linearizabilityViolations([...history, stale])).toEqual([
      expect.stringMatching(/^stale reader read "v41" from 20000.6 to 20000.7 ms, which is stale/),
    ]);
    expect(linearizabilityViolations(history)).toEqual([]);
  });

  it('that writes one value twice cannot be judged', () => {
    expect(() => linearizabilityViolations([wrote('one', 0, 1), wrote('one', 2, 3)])).toThrow(
      '"one" was written twice',
    );
  });
});
