import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GroupModel, shown } from '../../../../test/support/group-model.js';
import { compareLamport } from '../../../kernel/index.js';
import { GroupHistory, type GroupOp, REMEMBERED_MS } from './group-history.js';
import type { KnownOperation, OperationKind } from './known-operation.js';

const HOUR = 3_600_000;
const GROUPS = ['a', 'b', 'c'];

interface Step {
  readonly do: 'new' | 'repeat' | 'undo' | 'undo-first' | 'reuse';
  readonly kind: OperationKind;
  readonly groupId: string;
  /** Which of the ids that came before. */
  readonly which: number;
  /** Own, or so much above what may be forgotten. */
  readonly above: number | undefined;
  readonly afterMs: number;
}

const arbitraryStep: fc.Arbitrary<Step> = fc.record({
  do: fc.oneof(
    { weight: 6, arbitrary: fc.constant('new' as const) },
    { weight: 3, arbitrary: fc.constant('undo' as const) },
    { weight: 1, arbitrary: fc.constantFrom('repeat' as const, 'undo-first' as const, 'reuse' as const) },
  ),
  kind: fc.constantFrom('create', 'create', 'create', 'delete', 'delete', 'clear'),
  groupId: fc.constantFrom(...GROUPS),
  which: fc.nat(1_000),
  above: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  afterMs: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0, 1, HOUR, 5 * HOUR) },
    { weight: 3, arbitrary: fc.constantFrom(11 * HOUR, REMEMBERED_MS - 1, REMEMBERED_MS, REMEMBERED_MS + 1) },
    { weight: 1, arbitrary: fc.constant(60 * HOUR) },
  ),
});
const arbitrarySteps = fc.array(arbitraryStep, { maxLength: 40, size: 'max' });

/** Where the numbers begin, and from which step on the rules of today hold. */
const arbitraryPast = fc.oneof(
  fc.record({ base: fc.constant(0n), today: fc.nat(40) }),
  fc.record({ base: fc.constantFrom(0n, 2n ** 53n - 20n, 2n ** 53n - 1n, 2n ** 80n), today: fc.constant(0) }),
);
type Past = typeof arbitraryPast extends fc.Arbitrary<infer Value> ? Value : never;
const TODAY: Past = { base: 0n, today: 0 };

interface Timed {
  readonly op: GroupOp;
  readonly at: number;
}

/** What a node promises to answer for: ids that it still knows or never met, versions above what it may have forgotten. */
function opOf(step: Step, model: GroupModel, at: number, fresh: string, base: bigint): GroupOp {
  const known = model.ids.filter((id) => model.isYoung(id, at));
  const id = known[step.which % known.length];
  const earlier = id === undefined ? undefined : model.opOf(id);
  const about = { kind: step.kind, ...(step.kind !== 'clear' && { groupId: step.groupId }) };
  const isAfter = step.which % 4 === 0;
  const above =
    step.above === undefined ? {} : { version: shown(maxOf(model.oldVersion(at), base) + BigInt(step.above)) };
  const after = BigInt(model.version) + BigInt(step.groupId.charCodeAt(0) - 98);
  const version = isAfter ? { after: shown(maxOf(after, 0n)) } : above;
  if (step.do === 'undo-first') return { type: 'undo', id: fresh, ...about };
  if (step.do === 'new' || earlier === undefined) return { type: 'do', id: fresh, ...about, ...version };
  if (step.do === 'reuse') return { type: 'do', id: earlier.id, ...about };
  const same = {
    id: earlier.id,
    kind: earlier.kind,
    ...(earlier.groupId !== undefined && { groupId: earlier.groupId }),
  };
  return step.do === 'undo' ? { type: 'undo', ...same } : { type: 'do', ...same, ...version };
}

const maxOf = (left: bigint, right: bigint): bigint => (left < right ? right : left);

function* storyOf(steps: readonly Step[], model: GroupModel, { base, today }: Past = TODAY): Generator<Timed> {
  let at = REMEMBERED_MS * 10;
  for (const [index, step] of steps.entries()) {
    at += step.afterMs;
    const op = opOf(step, model, at, `${'zyx'.charAt(step.which % 3)}${String(index)}`, base);
    yield { op: op.type === 'do' && index >= today ? { ...op, rules: 2 } : op, at };
  }
}

function restored(history: GroupHistory): GroupHistory {
  const again = new GroupHistory();
  again.restore(JSON.parse(JSON.stringify(history.capture())) as ReturnType<GroupHistory['capture']>);
  return again;
}

describe('GroupHistory', () => {
  it('given any operations within its memory, answers and has groups as the full history does, also when restored', () => {
    const property = fc.property(arbitrarySteps, fc.nat(40), arbitraryPast, (steps, restart, past) => {
      const model = new GroupModel();
      const straight = new GroupHistory();
      let restarted = new GroupHistory();
      for (const clock of [model, straight, restarted]) clock.raise(shown(past.base));
      let index = 0;
      for (const { op, at } of storyOf(steps, model, past)) {
        if (index === restart) restarted = restored(restarted);
        index += 1;
        const expected = model.apply(op, at);

        expect(straight.apply(op, at)).toEqual(expected);
        expect(restarted.apply(op, at)).toEqual(expected);
        expect([straight.all(), straight.version]).toEqual([model.all(), model.version]);
        expect([restarted.all(), restarted.version]).toEqual([model.all(), model.version]);
        expect(GROUPS.filter((groupId) => straight.has(groupId))).toEqual(model.all());
      }
      expect(inOrder(restored(straight))).toEqual(inOrder(straight));
      expect(inOrder(restarted)).toEqual(inOrder(straight));
    });

    fc.assert(property, { numRuns: 1_000 });
  });

  it('given any operations over days, keeps recent ones, and at most one older operation per group', () => {
    const property = fc.property(arbitrarySteps, (steps) => {
      const model = new GroupModel();
      const history = new GroupHistory();
      for (const { op, at } of storyOf(steps, model)) {
        model.apply(op, at);
        history.apply(op, at);
        expectLittle(history, model, at - REMEMBERED_MS);
      }
    });

    fc.assert(property, { numRuns: 500 });
  });

  it('given the same accepted operations and undos in any order, has the same groups, also when they are old', () => {
    let compared = 0;
    const property = fc.property(arbitrarySet, fc.infiniteStream(fc.nat()), (ops, chances) => {
      const shuffled = ops
        .map((op) => ({ op, chance: chances.next().value as number }))
        .sort((left, right) => left.chance - right.chance)
        .map(({ op }) => op);
      const [one, other] = [ops, shuffled].map((order) => {
        const history = new GroupHistory();
        const results = order.map((op, index) => history.apply(op, index * HOUR).result);
        return { history, isWithoutRefusal: !results.includes('exists') && !results.includes('overtaken') };
      });
      fc.pre(one!.isWithoutRefusal && other!.isWithoutRefusal);
      compared += 1;

      expect(other!.history.all()).toEqual(one!.history.all());
      for (const { history } of [one!, other!])
        history.apply({ type: 'do', id: 'last', kind: 'create', groupId: 'z' }, 90 * HOUR);
      expect(other!.history.all()).toEqual(one!.history.all());
      expect(other!.history.capture().operations).toHaveLength(one!.history.all().length);
    });

    fc.assert(property, { numRuns: 1_000, maxSkipsPerRun: 1_000 });
    expect(compared).toBeGreaterThanOrEqual(1_000);
  });
});

function inOrder(history: GroupHistory): readonly KnownOperation[] {
  const { operations } = history.capture();
  return operations
    .map((operation) => ({ ...operation, isOld: operation.isOld === true }))
    .toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
}

function expectLittle(history: GroupHistory, model: GroupModel, time: number): void {
  const { operations } = history.capture();
  const young = operations.filter(({ at }) => at >= time);
  const old = operations.filter(({ at }) => at < time);
  const wrong = old.filter(({ kind, groupId, version, isUndone, isRefused }) => {
    // A delete is kept only for what is younger and has its place below.
    const isNeeded =
      kind === 'create' ||
      young.some((other) => other.groupId === groupId && compareLamport(other.version, version) <= 0);
    return groupId === undefined || isUndone || isRefused || !isNeeded;
  });
  const kept = new Set(operations.filter(({ isFolded }) => isFolded !== true).map(({ id }) => id));
  const found = model.ids.filter(
    (id) => history.foresee({ type: 'do', id, kind: 'create', groupId: 'none of these' }) !== undefined,
  );
  expect({ wrong, groups: new Set(old.map(({ groupId }) => groupId)).size }).toEqual({ wrong: [], groups: old.length });
  expect(found.filter((id) => !kept.has(id))).toEqual([]);
}

const arbitrarySet: fc.Arbitrary<readonly GroupOp[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom<OperationKind>('create', 'create', 'delete', 'clear'),
      groupId: fc.constantFrom('a', 'b'),
      version: fc.integer({ min: 1, max: 6 }),
      isUndone: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((all) =>
    all.flatMap(({ kind, groupId, version, isUndone }, index): GroupOp[] => {
      const about = { id: `op ${String(index)}`, kind, ...(kind !== 'clear' && { groupId }) };
      return [{ type: 'do', ...about, version }, ...(isUndone ? [{ type: 'undo' as const, ...about }] : [])];
    }),
  );
