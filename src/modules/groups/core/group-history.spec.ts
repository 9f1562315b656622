import { describe, expect, it } from '@jest/globals';
import type { LamportTime } from '../../../kernel/index.js';
import { GroupHistory, type GroupOp, REMEMBERED_MS } from './group-history.js';

const DAY = REMEMBERED_MS + 1;

const create = (id: string, groupId: string, version?: LamportTime): GroupOp => ({
  ...{ type: 'do', id, kind: 'create', groupId, rules: 2 },
  ...(version !== undefined && { version }),
});
const remove = (id: string, groupId: string, version?: LamportTime): GroupOp => ({
  ...{ type: 'do', id, kind: 'delete', groupId, rules: 2 },
  ...(version !== undefined && { version }),
});
const clear = (id: string, version?: LamportTime): GroupOp => ({
  ...{ type: 'do', id, kind: 'clear', rules: 2 },
  ...(version !== undefined && { version }),
});
const undo = (op: GroupOp): GroupOp => ({
  ...{ type: 'undo', id: op.id, kind: op.kind },
  ...(op.groupId !== undefined && { groupId: op.groupId }),
});

/** As earlier builds have recorded it. */
const earlier = (op: GroupOp): GroupOp => {
  const { rules: _, ...recorded } = op as GroupOp & { readonly rules?: 2 };
  return recorded;
};

type Told = GroupOp | { readonly waitMs: number };
const DAY_GOES_BY: Told = { waitMs: DAY };

function told(...all: readonly Told[]): { readonly history: GroupHistory; readonly last: unknown } {
  const history = new GroupHistory();
  let at = 0;
  let last: unknown;
  for (const next of all) {
    if ('waitMs' in next) at += next.waitMs;
    else last = history.apply(next, at);
  }
  return { history, last };
}

const done = (version: number, more: object = {}): object => ({
  ...{ result: 'done', version, removed: 0, isRepeat: false },
  ...more,
});

describe('an operation', () => {
  it.each<[string, readonly Told[], object]>([
    ['that creates a group is done', [create('1', 'a')], done(1)],
    ['that creates what is there is refused', [create('1', 'a'), create('2', 'a')], { result: 'exists', version: 2 }],
    ['that deletes a group is done', [create('1', 'a'), remove('2', 'a')], done(2)],
    [
      'at the end of the numbers that JavaScript counts goes on behind it',
      [create('1', 'a', Number.MAX_SAFE_INTEGER), remove('2', 'a'), create('3', 'a')],
      { result: 'done', version: '9007199254740993' },
    ],
    [
      'that earlier builds recorded at the end of the numbers has the last of them as well',
      [create('1', 'a', Number.MAX_SAFE_INTEGER), earlier(remove('2', 'a'))],
      { result: 'done', version: Number.MAX_SAFE_INTEGER },
    ],
    [
      'that creates below a delete is overtaken',
      [remove('1', 'a', 9), create('2', 'a', 8)],
      { result: 'overtaken', version: 8 },
    ],
    ['that creates below a clear is overtaken', [clear('1', 9), create('2', 'a', 8)], { result: 'overtaken' }],
    ['that deletes below a create is overtaken', [create('1', 'a', 9), remove('2', 'a', 8)], { result: 'overtaken' }],
    [
      'that was overtaken is told so again, though nothing stands above it any more',
      [remove('1', 'a', 9), create('2', 'a', 8), undo(remove('1', 'a')), create('2', 'a', 8)],
      { result: 'overtaken', version: 8, isRepeat: true },
    ],
    [
      'that earlier builds recorded below a delete was done',
      [remove('1', 'a', 9), earlier(create('2', 'a', 8))],
      done(8),
    ],
    ['that deletes nothing finds nothing', [remove('1', 'a')], { result: 'not-found', version: 1 }],
    [
      'that clears says how many groups it has removed',
      [create('1', 'a'), create('2', 'b'), clear('3')],
      done(3, { removed: 2 }),
    ],
    [
      'that clears late removes only what has its place below',
      [create('1', 'a', 1), create('2', 'b', 9), clear('3', 5)],
      done(5, { removed: 1 }),
    ],
    ['takes the place after the highest it has met', [create('1', 'a', 7), create('2', 'b')], done(8)],
    [
      'takes a place above what another node has met',
      [
        create('1', 'a', 7),
        { ...create('2', 'b'), after: 11 } as GroupOp,
        { ...create('3', 'c'), after: 5 } as GroupOp,
      ],
      done(13),
    ],
    ['keeps the place that it brings, however low', [create('1', 'a', 7), create('2', 'b', 3)], done(3)],
    [
      'that comes again is answered as the first time',
      [create('1', 'a'), create('1', 'a')],
      done(1, { isRepeat: true }),
    ],
    [
      'that was refused is refused again, though nothing stands against it any more',
      [create('1', 'a'), create('2', 'a'), remove('3', 'a'), create('2', 'a')],
      { result: 'exists', version: 2, isRepeat: true },
    ],
    [
      'that has deleted is answered so again, though the group has come back',
      [create('1', 'a'), remove('2', 'a'), create('3', 'a'), remove('2', 'a')],
      done(2, { isRepeat: true }),
    ],
    ['that was undone is refused', [create('1', 'a'), undo(create('1', 'a')), create('1', 'a')], { result: 'undone' }],
    ['that was undone before it came is refused', [undo(create('1', 'a')), create('1', 'a')], { result: 'undone' }],
    ['with the id of another is refused', [create('1', 'a'), create('1', 'b')], { result: 'reused' }],
    ['of another kind with an id of before is refused', [create('1', 'a'), remove('1', 'a')], { result: 'reused' }],
    ['that clears with the id of another is refused', [create('1', 'a'), clear('1')], { result: 'reused' }],
    ['is not undone as another', [create('1', 'a'), undo(create('1', 'b'))], { result: 'reused' }],
    [
      'that is undone says whether the group is there',
      [undo(create('1', 'a'))],
      { result: 'undo-done', isThere: false },
    ],
    [
      'that is undone says so also of a group of somebody else',
      [create('1', 'a'), create('2', 'a'), undo(create('2', 'a'))],
      { result: 'undo-done', isThere: true },
    ],
  ])('%s', (_, all, expected) => {
    expect(told(...all).last).toMatchObject(expected);
  });
});

describe('the groups of a node', () => {
  it.each<[string, readonly Told[], readonly string[]]>([
    ['are sorted by UTF-16 code units', [create('1', 'é'), create('2', 'b'), create('3', 'B')], ['B', 'b', 'é']],
    ['follow from the highest place, not from what came last', [remove('1', 'a', 8), create('2', 'a', 7)], []],
    ['given the same place twice, follow from the higher id', [remove('x', 'a', 5), create('y', 'a', 5)], ['a']],
    [
      'are without what was overtaken, also when what overtook it is undone',
      [remove('1', 'a', 9), create('2', 'a', 8), undo(remove('1', 'a'))],
      [],
    ],
    [
      'are with what earlier builds recorded below a delete that is undone',
      [remove('1', 'a', 9), earlier(create('2', 'a', 8)), undo(remove('1', 'a'))],
      ['a'],
    ],
    ['are without those below a clear', [clear('1', 5), create('2', 'a', 4), create('3', 'b', 6)], ['b']],
    [
      'are after an undo of a delete as if it had not been',
      [create('1', 'a'), remove('2', 'a'), undo(remove('2', 'a'))],
      ['a'],
    ],
    [
      'keep what another has created when a create is undone',
      [create('1', 'a'), create('2', 'a'), undo(create('2', 'a'))],
      ['a'],
    ],
    [
      'stay gone when a delete is undone after which another has deleted',
      [create('1', 'a'), remove('2', 'a'), create('3', 'a'), remove('4', 'a'), undo(remove('2', 'a'))],
      [],
    ],
    [
      'come back when a clear is undone, but for those that were deleted since',
      [create('1', 'a'), create('2', 'b'), clear('3'), remove('4', 'b'), undo(clear('3'))],
      ['a'],
    ],
  ])('%s', (_, all, expected) => {
    expect(told(...all).history.all()).toEqual(expected);
  });
});

describe('after a day', () => {
  const wake = create('wake', 'z');

  it.each<[string, readonly Told[], readonly string[], readonly string[]]>([
    ['a create is kept, by its id', [create('1', 'a')], ['a', 'z'], ['1']],
    ['a delete and what it has deleted are forgotten', [create('1', 'a'), remove('2', 'a')], ['z'], []],
    ['a refused create is forgotten', [create('1', 'a'), create('2', 'a')], ['a', 'z'], ['1']],
    ['what was undone is forgotten', [create('1', 'a'), undo(create('1', 'a'))], ['z'], []],
    ['what was undone before it came is forgotten', [undo(create('1', 'a')), undo(clear('2'))], ['z'], []],
    ['a clear is forgotten with all that is below', [create('1', 'a'), create('2', 'b'), clear('3')], ['z'], []],
    ['a clear leaves what is above it', [create('1', 'a', 1), create('2', 'b', 3), clear('3', 2)], ['b', 'z'], ['2']],
    [
      'a clear that was undone takes nothing along',
      [create('1', 'a'), clear('2'), undo(clear('2'))],
      ['a', 'z'],
      ['1'],
    ],
    [
      'a clear goes on hiding a younger operation below it',
      [clear('1', 9), { waitMs: DAY / 2 }, create('2', 'a', 8), { waitMs: DAY / 2 }],
      ['z'],
      ['1', '2'],
    ],
    [
      'a delete goes on hiding a younger operation below it',
      [remove('1', 'a', 9), { waitMs: DAY / 2 }, create('2', 'a', 8), { waitMs: DAY / 2 }],
      ['z'],
      ['1', '2'],
    ],
    [
      'nothing is left of that when the younger one is old as well',
      [clear('1', 9), remove('2', 'b', 9), { waitMs: DAY / 2 }, create('3', 'a', 8), create('4', 'b', 8), DAY_GOES_BY],
      ['z'],
      [],
    ],
    [
      'the create below a delete that is young is kept, for that may be undone',
      [create('1', 'a'), { waitMs: DAY / 2 }, remove('2', 'a'), { waitMs: DAY / 2 }],
      ['z'],
      ['1', '2'],
    ],
  ])('%s', (_, all, groups, kept) => {
    const isAged = all.some((next) => 'waitMs' in next);
    const { history } = told(...all, ...(isAged ? [] : [DAY_GOES_BY]), wake);

    expect(history.all()).toEqual(groups);
    const ids = history.capture().operations.map(({ id }) => id);
    expect(ids.filter((id) => id !== 'wake').sort()).toEqual(kept);
  });

  it('given a create of an existing group, it can still be undone, and the node remembers that for a day', () => {
    const { history } = told(create('1', 'a'), DAY_GOES_BY, wake, undo(create('1', 'a')));

    expect(history.all()).toEqual(['z']);
    expect(history.apply(create('1', 'a'), DAY + REMEMBERED_MS)).toEqual({ result: 'undone' });
    expect(history.apply(create('1', 'a'), 2 * DAY + 1)).toMatchObject({ result: 'done' });
  });

  it('given a day less a millisecond, everything is still known', () => {
    const { history } = told(create('1', 'a'), remove('2', 'a'), { waitMs: REMEMBERED_MS }, undo(remove('2', 'a')));

    expect(history.all()).toEqual(['a']);
  });

  it('given the undo of an old delete, finds nothing to restore', () => {
    expect(told(create('1', 'a'), remove('2', 'a'), DAY_GOES_BY, undo(remove('2', 'a'))).history.all()).toEqual([]);
  });

  it('given an operation id from then, treats it as a new operation', () => {
    const { history } = told(create('1', 'a'), remove('2', 'a'), DAY_GOES_BY, create('1', 'a'));

    expect(history.all()).toEqual(['a']);
  });
});

describe('the foreseen outcome', () => {
  it('is defined only where nothing that is stored would change', () => {
    const { history } = told(create('1', 'a'), remove('2', 'b'), undo(create('3', 'c')));

    expect(history.foresee(create('1', 'a'))).toEqual(done(1, { isRepeat: true }));
    expect(history.foresee(create('3', 'c'))).toEqual({ result: 'undone' });
    expect(history.foresee(undo(create('3', 'c')))).toEqual({ result: 'undo-done', isThere: false });
    expect(history.foresee(create('4', 'a'))).toBeUndefined();
    expect(history.foresee(undo(create('1', 'a')))).toBeUndefined();
    expect(history.all()).toEqual(['a']);
  });
});

describe('a given version', () => {
  it.each<[string, GroupOp, LamportTime | undefined]>([
    ['as far ahead as is allowed is taken', create('2', 'b', 1_000_007), undefined],
    ['further ahead is refused, naming the highest that was met', create('2', 'b', 1_000_008), 7],
    ['at the end of the numbers is refused', clear('2', Number.MAX_SAFE_INTEGER), 7],
    ['behind the end of the numbers is refused', remove('2', 'b', '9'.repeat(30)), 7],
    ['to be above is refused alike', { ...create('2', 'b'), after: 1_000_008 } as GroupOp, 7],
    ['with an undo does not matter', undo(create('2', 'b')), undefined],
  ])('%s', (_, op, met) => {
    const { history } = told(create('1', 'a', 7));

    expect(history.refuse(op)).toEqual(met === undefined ? undefined : { result: 'too-far', met });
  });

  it('raises and never lowers', () => {
    const { history } = told(create('1', 'a', '9007199254740999'));
    history.raise(5);

    expect(history.version).toBe('9007199254740999');
  });
});

describe('a captured state', () => {
  it('does not change with later operations, and gives the same groups, versions and answers', () => {
    const { history } = told(
      create('1', 'a'),
      create('2', 'b'),
      undo(create('3', 'c')),
      remove('4', 'b', 9),
      remove('6', 'e', 9),
      create('5', 'e', 8),
    );
    const captured = history.capture();
    const text = JSON.stringify(captured);
    history.apply(undo(create('1', 'a')), 1);
    const again = new GroupHistory();
    again.restore(captured);

    expect(JSON.stringify(captured)).toBe(text);
    expect([again.all(), again.version]).toEqual([['a'], 9]);
    expect(again.apply(create('5', 'e', 8), 1)).toMatchObject({ result: 'overtaken' });
    expect(again.apply(create('3', 'c'), 1)).toEqual({ result: 'undone' });
    expect(again.apply(undo(remove('4', 'b')), 1)).toEqual({ result: 'undo-done', isThere: true });
    expect(JSON.stringify(captured)).toBe(text);
  });
});
