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
    ['given a create, is done', [create('1', 'a')], done(1)],
    [
      'given a create of an existing group, is refused',
      [create('1', 'a'), create('2', 'a')],
      { result: 'exists', version: 2 },
    ],
    ['given a delete, is done', [create('1', 'a'), remove('2', 'a')], done(2)],
    [
      'given the largest safe integer as highest version, continues above it',
      [create('1', 'a', Number.MAX_SAFE_INTEGER), remove('2', 'a'), create('3', 'a')],
      { result: 'done', version: '9007199254740993' },
    ],
    [
      'given the largest safe integer in records of earlier builds, keeps that version',
      [create('1', 'a', Number.MAX_SAFE_INTEGER), earlier(remove('2', 'a'))],
      { result: 'done', version: Number.MAX_SAFE_INTEGER },
    ],
    [
      'given a create below a delete, is overtaken',
      [remove('1', 'a', 9), create('2', 'a', 8)],
      { result: 'overtaken', version: 8 },
    ],
    ['given a create below a clear, is overtaken', [clear('1', 9), create('2', 'a', 8)], { result: 'overtaken' }],
    [
      'given a delete below a create, is overtaken',
      [create('1', 'a', 9), remove('2', 'a', 8)],
      { result: 'overtaken' },
    ],
    [
      'given a repeat of an overtaken one, is overtaken again, although nothing stands above it any more',
      [remove('1', 'a', 9), create('2', 'a', 8), undo(remove('1', 'a')), create('2', 'a', 8)],
      { result: 'overtaken', version: 8, isRepeat: true },
    ],
    [
      'given a record of an earlier build below a delete, is done',
      [remove('1', 'a', 9), earlier(create('2', 'a', 8))],
      done(8),
    ],
    ['given a delete of an unknown group, finds nothing', [remove('1', 'a')], { result: 'not-found', version: 1 }],
    [
      'given a clear, reports the number of groups that it removed',
      [create('1', 'a'), create('2', 'b'), clear('3')],
      done(3, { removed: 2 }),
    ],
    [
      'given a late clear, removes only groups below it',
      [create('1', 'a', 1), create('2', 'b', 9), clear('3', 5)],
      done(5, { removed: 1 }),
    ],
    ['given no version, gets the version after the highest one seen', [create('1', 'a', 7), create('2', 'b')], done(8)],
    [
      'given the version that another node has seen, gets a higher one',
      [
        create('1', 'a', 7),
        { ...create('2', 'b'), after: 11 } as GroupOp,
        { ...create('3', 'c'), after: 5 } as GroupOp,
      ],
      done(13),
    ],
    ['given a version, keeps it, however low it is', [create('1', 'a', 7), create('2', 'b', 3)], done(3)],
    ['given a repeat, gets the same answer', [create('1', 'a'), create('1', 'a')], done(1, { isRepeat: true })],
    [
      'given a repeat of a refused one, is refused again, although nothing prevents it any more',
      [create('1', 'a'), create('2', 'a'), remove('3', 'a'), create('2', 'a')],
      { result: 'exists', version: 2, isRepeat: true },
    ],
    [
      'given a repeat of a delete, gets the same answer, although the group exists again',
      [create('1', 'a'), remove('2', 'a'), create('3', 'a'), remove('2', 'a')],
      done(2, { isRepeat: true }),
    ],
    [
      'given an undo before the repeat, is refused',
      [create('1', 'a'), undo(create('1', 'a')), create('1', 'a')],
      { result: 'undone' },
    ],
    ['given an undo before its arrival, is refused', [undo(create('1', 'a')), create('1', 'a')], { result: 'undone' }],
    ['given the id of another, is refused', [create('1', 'a'), create('1', 'b')], { result: 'reused' }],
    ['given an earlier id with another kind, is refused', [create('1', 'a'), remove('1', 'a')], { result: 'reused' }],
    ['given a clear with the id of another, is refused', [create('1', 'a'), clear('1')], { result: 'reused' }],
    [
      'given an undo with another content, is not undone',
      [create('1', 'a'), undo(create('1', 'b'))],
      { result: 'reused' },
    ],
    [
      'given an undo, reports whether the group exists',
      [undo(create('1', 'a'))],
      { result: 'undo-done', isThere: false },
    ],
    [
      'given an undo, reports a group that another caller created',
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
    ['follow from the highest version, not from the order of arrival', [remove('1', 'a', 8), create('2', 'a', 7)], []],
    ['given equal versions, follow from the higher id', [remove('x', 'a', 5), create('y', 'a', 5)], ['a']],
    [
      'exclude an overtaken create, even when the operation above it is undone',
      [remove('1', 'a', 9), create('2', 'a', 8), undo(remove('1', 'a'))],
      [],
    ],
    [
      'include a create that earlier builds recorded below a delete which is undone',
      [remove('1', 'a', 9), earlier(create('2', 'a', 8)), undo(remove('1', 'a'))],
      ['a'],
    ],
    ['exclude groups below a clear', [clear('1', 5), create('2', 'a', 4), create('3', 'b', 6)], ['b']],
    [
      'after the undo of a delete, are as without the delete',
      [create('1', 'a'), remove('2', 'a'), undo(remove('2', 'a'))],
      ['a'],
    ],
    [
      'after the undo of one create, keep the create of another caller',
      [create('1', 'a'), create('2', 'a'), undo(create('2', 'a'))],
      ['a'],
    ],
    [
      'after the undo of a delete, lack a group that a later delete removed',
      [create('1', 'a'), remove('2', 'a'), create('3', 'a'), remove('4', 'a'), undo(remove('2', 'a'))],
      [],
    ],
    [
      'after the undo of a clear, are back, except those deleted since',
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
    ['keeps a create, with its id', [create('1', 'a')], ['a', 'z'], ['1']],
    ['forgets a delete and the create below it', [create('1', 'a'), remove('2', 'a')], ['z'], []],
    ['forgets a refused create', [create('1', 'a'), create('2', 'a')], ['a', 'z'], ['1']],
    ['forgets an undone operation', [create('1', 'a'), undo(create('1', 'a'))], ['z'], []],
    ['forgets an undo that came before its operation', [undo(create('1', 'a')), undo(clear('2'))], ['z'], []],
    ['forgets a clear and everything below it', [create('1', 'a'), create('2', 'b'), clear('3')], ['z'], []],
    ['keeps a create above a clear', [create('1', 'a', 1), create('2', 'b', 3), clear('3', 2)], ['b', 'z'], ['2']],
    ['removes nothing because of an undone clear', [create('1', 'a'), clear('2'), undo(clear('2'))], ['a', 'z'], ['1']],
    [
      'still hides a younger operation below an old clear',
      [clear('1', 9), { waitMs: DAY / 2 }, create('2', 'a', 8), { waitMs: DAY / 2 }],
      ['z'],
      ['1', '2'],
    ],
    [
      'still hides a younger operation below an old delete',
      [remove('1', 'a', 9), { waitMs: DAY / 2 }, create('2', 'a', 8), { waitMs: DAY / 2 }],
      ['z'],
      ['1', '2'],
    ],
    [
      'keeps nothing of that once the younger operation is old as well',
      [clear('1', 9), remove('2', 'b', 9), { waitMs: DAY / 2 }, create('3', 'a', 8), create('4', 'b', 8), DAY_GOES_BY],
      ['z'],
      [],
    ],
    [
      'keeps the create below a young delete, because the delete may be undone',
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
    ['is accepted at the maximum distance', create('2', 'b', 1_000_007), undefined],
    ['is refused beyond it, and the outcome has the highest version seen', create('2', 'b', 1_000_008), 7],
    ['is refused at the largest safe integer', clear('2', Number.MAX_SAFE_INTEGER), 7],
    ['is refused above the largest safe integer', remove('2', 'b', '9'.repeat(30)), 7],
    ['is refused alike as a version to exceed', { ...create('2', 'b'), after: 1_000_008 } as GroupOp, 7],
    ['does not matter in an undo', undo(create('2', 'b')), undefined],
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
