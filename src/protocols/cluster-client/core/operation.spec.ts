import { describe, expect, it } from '@jest/globals';
import {
  ABC,
  begin,
  CLEAR,
  CREATE,
  DELETE,
  HAS_IT,
  intentOf,
  LOOKS,
  LOST,
  NEVER_SENT,
  type Nodes,
  plain,
  PLAIN,
  PLAIN_HAS_IT,
  play,
  resume,
  said,
  type ScriptedNode,
  seen,
  SILENT,
  statuses,
} from '../../../../test/support/operation-script.js';
import type { LamportTime } from '../../../kernel/index.js';
import type { Wanted } from './intent.js';
import { decide, type Input, operationOf } from './operation.js';

describe('an operation', () => {
  it.each<[string, Wanted, Nodes, string, string]>([
    [
      'is written at the first node, then with its version at all others, and is done',
      CREATE,
      ABC,
      `keep undecided, ${LOOKS}, write a, write b v7, write c v7, ${LOOKS}, forget, done`,
      'done, done, done',
    ],
    [
      'on one node is written there and is done',
      CREATE,
      { a: {} },
      'keep undecided, look a, write a, look a, forget, done',
      'done',
    ],
    [
      'on one node that refuses is refused',
      CREATE,
      { a: { write: said('refused') } },
      'keep undecided, look a, write a, forget, refused',
      'refused',
    ],
    [
      'on one node that never answered is undone there',
      CREATE,
      { a: { write: LOST } },
      'keep undecided, look a, write a, keep backward, undo a, forget, rolled-back',
      'rolled-back',
    ],
    [
      'that creates a group that one node has is refused before anything is written',
      CREATE,
      { ...ABC, b: HAS_IT },
      `keep undecided, ${LOOKS}, forget, refused`,
      'untouched, refused, untouched',
    ],
    [
      'is refused before anything is written when a node is silent',
      CREATE,
      { ...ABC, c: { look: SILENT } },
      `keep undecided, ${LOOKS}, forget, refused`,
      'untouched, untouched, unreachable',
    ],
    [
      'that deletes a group that no node has is refused before anything is written',
      DELETE,
      ABC,
      `keep undecided, ${LOOKS}, forget, refused`,
      'refused, refused, refused',
    ],
    [
      'that deletes is also written to nodes without the group',
      DELETE,
      { a: { write: said('absent', { version: 7 }) }, b: HAS_IT },
      'keep undecided, look a, look b, write a, write b v7, look a, look b, forget, done',
      'already, done',
    ],
    [
      'that deletes and finds nothing on any node is refused',
      DELETE,
      { a: { ...HAS_IT, write: said('absent', { version: 7 }) }, b: { write: said('absent') } },
      'keep undecided, look a, look b, write a, write b v7, forget, refused',
      'already, already',
    ],
    [
      'that clears is written to all nodes, even to empty ones',
      CLEAR,
      { ...ABC, b: HAS_IT },
      `keep undecided, ${LOOKS}, write a, write b v7, write c v7, ${LOOKS}, forget, done`,
      'done, done, done',
    ],
    [
      'that the first node refuses is refused, and no other node is asked',
      CREATE,
      { ...ABC, a: { write: said('exists') } },
      `keep undecided, ${LOOKS}, write a, forget, refused`,
      'refused, untouched, untouched',
    ],
    [
      'that never reached the first node is refused',
      CREATE,
      { ...ABC, a: { write: NEVER_SENT } },
      `keep undecided, ${LOOKS}, write a, forget, refused`,
      'unreachable, untouched, untouched',
    ],
    [
      'that the first node has undone before is refused',
      CREATE,
      { ...ABC, a: { write: said('undone') } },
      `keep undecided, ${LOOKS}, write a, forget, refused`,
      'rolled-back, untouched, untouched',
    ],
    [
      'that the first node may still carry out is undone there alone',
      CREATE,
      { ...ABC, a: { write: LOST } },
      `keep undecided, ${LOOKS}, write a, keep backward, undo a, forget, rolled-back`,
      'rolled-back, untouched, untouched',
    ],
    [
      'that the first node refuses after an attempt that may land is undone there',
      CREATE,
      { ...ABC, a: { write: said('refused', { mayLand: true }) } },
      `keep undecided, ${LOOKS}, write a, keep backward, undo a, forget, rolled-back`,
      'refused, untouched, untouched',
    ],
    [
      'that one node refuses is undone at the others, at the first node last',
      CREATE,
      { ...ABC, b: { write: said('exists') } },
      `keep undecided, ${LOOKS}, write a, write b v7, write c v7, keep backward, undo c, undo a, forget, rolled-back`,
      'rolled-back, refused, rolled-back',
    ],
    [
      'that one node never answered is undone there too',
      CREATE,
      { ...ABC, b: { write: LOST } },
      `keep undecided, ${LOOKS}, write a, write b v7, write c v7, keep backward, undo b, undo c, undo a, forget, rolled-back`,
      'rolled-back, rolled-back, rolled-back',
    ],
    [
      'that one node has undone meanwhile is undone at the others',
      CREATE,
      { a: {}, b: { write: said('undone') } },
      'keep undecided, look a, look b, write a, write b v7, keep backward, undo a, forget, rolled-back',
      'rolled-back, rolled-back',
    ],
    [
      'that deletes is undone also at nodes without the group, because its version is above late writes',
      DELETE,
      { a: HAS_IT, b: { write: said('absent') }, c: { write: said('refused') } },
      `keep undecided, ${LOOKS}, write a, write b v7, write c v7, keep backward, undo b, undo a, forget, rolled-back`,
      'rolled-back, rolled-back, refused',
    ],
    [
      'whose undo a node does not confirm stays open',
      CREATE,
      { a: {}, b: { write: LOST, undo: false }, c: {} },
      `keep undecided, ${LOOKS}, write a, write b v7, write c v7, keep backward, undo b, undo c, undo a, keep backward, open`,
      'rolled-back, unknown, rolled-back',
    ],
    [
      'whose undo the first node does not confirm stays open',
      CREATE,
      { a: { undo: false }, b: { write: said('exists') } },
      'keep undecided, look a, look b, write a, write b v7, keep backward, undo a, keep backward, open',
      'unknown, refused',
    ],
  ])('%s', (_, wanted, nodes, trace, end) => {
    const played = begin(wanted, nodes);

    expect(played.trace.join(', ')).toBe(trace);
    expect(statuses(played)).toBe(end);
  });

  const met = (version: LamportTime): ScriptedNode => ({
    look: { state: 'seen', understands: true, groups: [], version },
  });

  it('takes a version above all that any node has met', () => {
    expect(begin(CREATE, { a: met(3), b: met(9), c: met(0) }).trace).toContain('write a after 9');
    expect(begin(CREATE, { a: met(0), b: met(0) }).trace).toContain('write a');
  });

  it.each<[string, readonly LamportTime[], string]>([
    ['of another node is not spread', [3, Number.MAX_SAFE_INTEGER, 2], 'write a after 3'],
    [
      'of the first node is not spread, and that node receives the version of the others',
      [5_000_000, 9, 8],
      'write a v10',
    ],
    ['of half of the nodes is not spread', [3, 5_000_000, 5_000_000, 4], 'write a after 4'],
    ['that is not so far ahead is followed', [3, 1_000_002, 3], 'write a after 1000002'],
    ['that is as far ahead as one node refuses is not followed', [3, 1_000_002, 2], 'write a after 3'],
    [
      'at the end of the numbers that JavaScript counts is followed beyond it',
      [Number.MAX_SAFE_INTEGER, '9007199254741000', Number.MAX_SAFE_INTEGER],
      'write a after 9007199254741000',
    ],
  ])('that finds a number far ahead: one %s', (_, [a = 0, b = 0, c = 0, ...more], expected) => {
    const rest = Object.fromEntries(more.map((version, index) => [`d${String(index)}`, met(version)]));

    expect(begin(CREATE, { a: met(a), b: met(b), c: met(c), ...rest }).trace).toContain(expected);
  });

  it('is refused before anything is written when a node lags so far that it would refuse the version', () => {
    const { end, trace } = begin(CREATE, { a: met(5_000_000), b: met(7), c: met(5_000_001) });

    expect(end).toMatchObject({
      outcome: 'refused',
      reason: 'b: it has seen only version 7, but others have seen 5000001: run "repair" to raise it',
    });
    expect(trace.filter((step) => step.startsWith('write'))).toEqual([]);
  });

  it.each<[string, Wanted, Nodes, string, string]>([
    [
      'that created is undone on all nodes when one node does not have the group',
      CREATE,
      { a: {}, b: { lookAfter: seen() } },
      'undo b, undo a, forget, rolled-back',
      'b: the node said yes, but does not have the group',
    ],
    [
      'that deleted is undone on all nodes when one node still has the group',
      DELETE,
      { a: HAS_IT, b: { ...HAS_IT, write: said('absent'), lookAfter: seen('g') } },
      'undo b, undo a, forget, rolled-back',
      'b: the node said yes, but still has the group',
    ],
    [
      'that cleared is undone on all nodes when one node still has its groups',
      CLEAR,
      { a: HAS_IT, b: { look: seen('g', 'h'), lookAfter: seen('h') } },
      'undo b, undo a, forget, rolled-back',
      'b: the node said yes, but still has the group',
    ],
    [
      'that created asks a plain node that does not have the group to delete it',
      CREATE,
      { a: {}, b: { ...PLAIN, lookAfter: plain() } },
      'undo b -g, undo a, forget, rolled-back',
      'b: the node said yes, but does not have the group',
    ],
  ])('%s', (_, wanted, nodes, end, reason) => {
    const played = begin(wanted, nodes);

    expect(played.trace.join(', ')).toContain(`keep backward, ${end}`);
    expect(played.end.reason).toBe(reason);
  });

  it.each<[string, Wanted, Nodes]>([
    ['a node that was there before and does not answer now', CREATE, { a: {}, b: { lookAfter: SILENT } }],
    ['a node where a group came after it was cleared', CLEAR, { a: HAS_IT, b: { lookAfter: seen('new') } }],
  ])('is done given %s', (_, wanted, nodes) => {
    expect(begin(wanted, nodes).end).toEqual({ do: 'end', outcome: 'done' });
  });

  it('that is refused gives the reason and the node', () => {
    expect(begin(CREATE, { a: {}, b: HAS_IT }).end.reason).toBe('b: it has the group');
    expect(begin(CREATE, { a: { look: SILENT }, b: {} }).end.reason).toBe(
      'a: connection refused: nothing is listening there',
    );
    expect(begin(DELETE, ABC).end.reason).toBe('no node has the group');
  });

  it('that is done gives no reason, even after an earlier failure', () => {
    const left = play(intentOf(CREATE, { a: PLAIN }), { a: { ...PLAIN, write: LOST } });
    expect(left.intent.nodes[0]?.cause).toBe('no answer');
    const ended = play(left.kept!, { a: PLAIN }, resume());

    expect([ended.end, ended.intent.nodes]).toEqual([
      { do: 'end', outcome: 'done' },
      [{ name: 'a', plain: { before: [] }, status: 'done', isTouched: true }],
    ]);
  });
});

describe('an operation on a node that does not know operation ids', () => {
  it.each<[string, Wanted, Nodes, string, string]>([
    [
      'stores the earlier groups before it writes',
      DELETE,
      { a: HAS_IT, b: PLAIN_HAS_IT },
      'keep undecided, look a, look b, keep undecided, write a, write b v7, look a, look b, forget, done',
      'done, done',
    ],
    [
      'asks for the opposite change where it has created',
      CREATE,
      { a: PLAIN, b: { write: said('exists') } },
      'keep undecided, look a, look b, keep undecided, write a, write b, keep backward, undo a -g, forget, rolled-back',
      'rolled-back, refused',
    ],
    [
      'asks for the opposite change where it has deleted',
      DELETE,
      { a: { ...HAS_IT, write: said('refused') }, b: PLAIN_HAS_IT },
      'keep undecided, look a, look b, keep undecided, write a, forget, refused',
      'refused, untouched',
    ],
    [
      'restores all groups that it has cleared',
      CLEAR,
      { a: { look: plain('g', 'h'), write: said('done') }, b: { write: said('refused') } },
      'keep undecided, look a, look b, keep undecided, write a, write b, keep backward, undo a +g +h, forget, rolled-back',
      'rolled-back, refused',
    ],
    [
      'asks for nothing where there was nothing to delete',
      DELETE,
      { a: HAS_IT, b: { look: plain(), write: said('absent') }, c: { write: said('refused') } },
      `keep undecided, ${LOOKS}, keep undecided, write a, write b v7, write c v7, keep backward, undo a, forget, rolled-back`,
      'rolled-back, already, refused',
    ],
    [
      'is left open forward when it alone did not answer',
      CREATE,
      { a: {}, b: { ...PLAIN, write: LOST } },
      'keep undecided, look a, look b, keep undecided, write a, write b v7, keep forward, open',
      'done, unknown',
    ],
    [
      'is left open forward when it is the first and did not answer',
      CREATE,
      { a: { ...PLAIN, write: LOST }, b: {} },
      'keep undecided, look a, look b, keep undecided, write a, keep forward, open',
      'unknown, untouched',
    ],
    [
      'is left open backward when it did not answer and another refuses',
      CREATE,
      { a: {}, b: { ...PLAIN, write: LOST }, c: { write: said('exists') } },
      `keep undecided, ${LOOKS}, keep undecided, write a, write b v7, write c v7, keep backward, undo a, keep backward, open`,
      'rolled-back, unknown, refused',
    ],
    [
      'does not accept a refusal after an attempt that may land',
      CREATE,
      { a: {}, b: { ...PLAIN, write: said('exists', { mayLand: true }) } },
      'keep undecided, look a, look b, keep undecided, write a, write b v7, keep forward, open',
      'done, unknown',
    ],
    [
      'does not accept "nothing there" after an attempt that may have deleted',
      DELETE,
      { a: HAS_IT, b: { ...PLAIN_HAS_IT, write: said('absent', { mayLand: true }) } },
      'keep undecided, look a, look b, keep undecided, write a, write b v7, keep forward, open',
      'done, unknown',
    ],
  ])('%s', (_, wanted, nodes, trace, end) => {
    const played = begin(wanted, nodes);

    expect(played.trace.join(', ')).toBe(trace);
    expect(statuses(played)).toBe(end);
  });
});

describe('an unexpected input', () => {
  const answer = said('done');
  const looked: Input = { type: 'looked', node: 'a', look: seen() };
  const written: Input = { type: 'written', node: 'a', answer };
  const undone: Input = { type: 'undo-ended', node: 'a', isUndone: true };

  it.each<[string, readonly Input[], Input]>([
    ['before it has begun', [], looked],
    ['a second beginning', [{ type: 'begin' }], { type: 'begin' }],
    ['a resume after the beginning', [{ type: 'begin' }], resume()],
    ['of a node outside the operation', [{ type: 'begin' }], { ...looked, node: 'z' }],
    ['of a node that has answered', [{ type: 'begin' }, looked], looked],
    ['a write while it looks', [{ type: 'begin' }], written],
    ['an undo while it looks', [{ type: 'begin' }], undone],
    ['a look while it writes', [{ type: 'begin' }, looked, { ...looked, node: 'b' }], looked],
    ['an undo while it writes', [{ type: 'begin' }, looked, { ...looked, node: 'b' }], undone],
    [
      'of a node that is not written yet',
      [{ type: 'begin' }, looked, { ...looked, node: 'b' }],
      { ...written, node: 'b' },
    ],
    ['after the end', [{ type: 'begin' }, looked, { ...looked, node: 'b', look: SILENT }], written],
  ])('(%s) throws', (_, inputs, last) => {
    let operation = operationOf(intentOf(CREATE, { a: {}, b: {} }));
    for (const input of inputs) [operation] = decide(operation, input);

    expect(() => decide(operation, last)).toThrow(/cannot follow|was not asked/);
  });
});
