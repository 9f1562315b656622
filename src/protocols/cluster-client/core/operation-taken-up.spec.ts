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
  type Nodes,
  plain,
  PLAIN,
  PLAIN_HAS_IT,
  play,
  type Played,
  resume,
  said,
  type ScriptedNode,
  seen,
  SILENT,
  statuses,
} from '../../../../test/support/operation-script.js';
import type { Intent, Wanted } from './intent.js';
import { type Effect, type Input, PHASES } from './operation.js';

/** The intent of a client that died between a write and its answer. */
const dead = (wanted: Wanted, nodes: Nodes): Intent => begin(wanted, nodes).everKept.findLast(isUndecided)!;
const isUndecided = ({ direction }: Intent): boolean => direction === 'undecided';
/** The intent after a plain node never answered while another one refused. */
const inDoubt = (wanted: Wanted): Intent => {
  const look = wanted.kind === 'create' ? plain() : plain('g');
  const first = wanted.kind === 'create' ? {} : HAS_IT;
  return begin(wanted, { a: first, b: { look, write: LOST }, c: { write: said('refused') } }).kept!;
};

/** The intent after a plain node never answered and no other one refused. */
const openForward = (wanted: Wanted): Intent => {
  const look = wanted.kind === 'create' ? plain() : plain('g');
  const first = wanted.kind === 'create' ? {} : HAS_IT;
  return begin(wanted, { a: first, b: { look, write: LOST } }).kept!;
};

describe('an operation that is taken up', () => {
  it.each<[string, Intent, Nodes, Input, string, string]>([
    [
      'after the death of its client is undone on all nodes, whatever they did',
      dead(CREATE, ABC),
      ABC,
      resume(),
      `${LOOKS}, keep backward, undo b, undo c, undo a, forget, rolled-back`,
      'rolled-back, rolled-back, rolled-back',
    ],
    [
      'while a node is silent stays open, and is undone at the others',
      dead(CREATE, ABC),
      { ...ABC, b: { look: SILENT } },
      resume(),
      `${LOOKS}, keep backward, undo c, undo a, keep backward, open`,
      'rolled-back, unknown, rolled-back',
    ],
    [
      'while the first node is silent stays open',
      dead(CREATE, ABC),
      { ...ABC, a: { look: SILENT } },
      resume(),
      `${LOOKS}, keep backward, undo b, undo c, keep backward, open`,
      'unknown, rolled-back, rolled-back',
    ],
    [
      'while every node is silent stays open',
      dead(CREATE, { a: {}, b: {} }),
      { a: { look: SILENT }, b: { look: SILENT } },
      resume(),
      'look a, look b, keep backward, keep backward, open',
      'unknown, unknown',
    ],
    [
      'with a node that does not know operation ids goes forward after the death of its client',
      dead(CREATE, { a: {}, b: PLAIN }),
      { a: {}, b: { look: plain('g'), write: said('exists') } },
      resume(),
      'look a, look b, keep forward, write a, write b v7, look a, look b, forget, done',
      'done, already',
    ],
    [
      'forward continues where nodes answer, and stays open for the others',
      dead(CREATE, { ...ABC, b: PLAIN }),
      { ...ABC, b: { look: SILENT } },
      resume(),
      `${LOOKS}, keep forward, write a, write c v7, keep forward, open`,
      'done, untouched, done',
    ],
    [
      'forward on one node that answers and one that does not stays open',
      dead(CREATE, { a: {}, b: PLAIN }),
      { a: {}, b: { look: SILENT } },
      resume(),
      'look a, look b, keep forward, write a, keep forward, open',
      'done, untouched',
    ],
    [
      'forward goes back when another client has changed the group since',
      openForward(CREATE),
      { a: {}, b: PLAIN_HAS_IT },
      resume(),
      'look a, look b, keep backward, undo a, keep backward, open',
      'rolled-back, unknown',
    ],
    [
      'forward is undone without touching the later groups of other clients',
      openForward(DELETE),
      { a: HAS_IT, b: PLAIN_HAS_IT },
      resume(),
      'look a, look b, keep backward, undo a, forget, rolled-back',
      'rolled-back, rolled-back',
    ],
    [
      'stays open at an unchanged node while a call to it may still be under way',
      inDoubt(CREATE),
      { a: {}, b: { look: plain() }, c: {} },
      { type: 'resume', unknown: 'leave-open', isForgotten: false, mayBeUnderWay: true },
      `${LOOKS}, keep backward, keep backward, open`,
      'rolled-back, unknown, refused',
    ],
    [
      'is abandoned when a person says so, even if a node is gone for good',
      dead(CREATE, ABC),
      { ...ABC, b: { look: SILENT } },
      resume('leave'),
      `${LOOKS}, keep backward, undo c, undo a, forget, left`,
      'rolled-back, unknown, rolled-back',
    ],
    [
      'forward waits for the first node',
      dead(CREATE, { a: {}, b: PLAIN }),
      { a: { look: SILENT }, b: PLAIN },
      resume(),
      'look a, look b, keep forward, open',
      'untouched, untouched',
    ],
    [
      'forward stays open while a node refuses, and undoes nothing',
      dead(CREATE, { a: PLAIN, b: {} }),
      { a: PLAIN, b: { write: said('refused') } },
      resume(),
      'look a, look b, keep forward, write a, write b, keep forward, open',
      'done, unknown',
    ],
    [
      'forward is done where nothing is left to delete',
      dead(DELETE, { a: PLAIN_HAS_IT }),
      { a: { look: plain(), write: said('absent') } },
      resume(),
      'look a, keep forward, write a, look a, forget, done',
      'already',
    ],
    [
      'backward is settled by an unchanged plain node',
      inDoubt(CREATE),
      { ...ABC, b: { look: plain() } },
      resume(),
      `${LOOKS}, keep backward, forget, rolled-back`,
      'rolled-back, rolled-back, refused',
    ],
    [
      'backward is not settled by a plain node that has the group',
      inDoubt(CREATE),
      { ...ABC, b: { look: plain('g') } },
      resume(),
      `${LOOKS}, keep backward, keep backward, open`,
      'rolled-back, unknown, refused',
    ],
    [
      'backward removes the group of such a node when a person says that this operation created it',
      inDoubt(CREATE),
      { ...ABC, b: { look: plain('g') } },
      resume('undo'),
      `${LOOKS}, keep backward, undo b -g, forget, rolled-back`,
      'rolled-back, rolled-back, refused',
    ],
    [
      'backward leaves the group of such a node when a person says that another client created it',
      inDoubt(CREATE),
      { ...ABC, b: { look: plain('g') } },
      resume('leave'),
      `${LOOKS}, keep backward, forget, rolled-back`,
      'rolled-back, rolled-back, refused',
    ],
    [
      'backward restores the group that such a node has deleted when a person says so',
      inDoubt(DELETE),
      { ...ABC, b: { look: plain() } },
      resume('undo'),
      `${LOOKS}, keep backward, undo b +g, forget, rolled-back`,
      'rolled-back, rolled-back, refused',
    ],
    [
      'backward decides nothing about such a node while it is silent, whatever a person says',
      inDoubt(CREATE),
      { ...ABC, b: { look: SILENT } },
      resume('undo'),
      `${LOOKS}, keep backward, keep backward, open`,
      'rolled-back, unknown, refused',
    ],
    [
      'backward sends no undo by id to a node that no longer knows operation ids',
      dead(CREATE, { a: {}, b: {} }),
      { a: {}, b: { look: plain('g') } },
      resume('undo'),
      'look a, look b, keep backward, undo a, forget, rolled-back',
      'rolled-back, untouched',
    ],
    [
      'for a delete stays open when nodes have forgotten what it removed',
      dead(DELETE, { a: HAS_IT, b: HAS_IT }),
      { a: {}, b: {} },
      resume('undo', true),
      'look a, look b, keep undecided, open',
      'untouched, untouched',
    ],
    [
      'for a delete, when nodes have forgotten what it removed, is abandoned when a person says so',
      dead(CLEAR, { a: HAS_IT, b: HAS_IT }),
      { a: {}, b: {} },
      resume('leave', true),
      'look a, look b, forget, left',
      'untouched, untouched',
    ],
    [
      'for a create is undone however old it is',
      dead(CREATE, { a: {}, b: {} }),
      { a: {}, b: {} },
      resume('leave-open', true),
      'look a, look b, keep backward, undo b, undo a, forget, rolled-back',
      'rolled-back, rolled-back',
    ],
    [
      'for a delete continues forward however old it is',
      begin(DELETE, { a: HAS_IT, b: { ...PLAIN_HAS_IT, write: LOST } }).kept!,
      { a: {}, b: PLAIN_HAS_IT },
      resume('leave-open', true),
      'look a, look b, keep forward, write a, write b v7, look a, look b, forget, done',
      'done, done',
    ],
  ])('%s', (_, intent, nodes, first, trace, end) => {
    const played = play(intent, nodes, first);

    expect(played.trace.join(', ')).toBe(trace);
    expect(statuses(played)).toBe(end);
  });

  it('stays open for a minute at a plain node that said yes after an unanswered attempt', () => {
    const saidLate: ScriptedNode = { look: plain(), write: said('done', { mayLand: true }) };
    const played = begin(CREATE, { a: {}, b: saidLate, c: { write: said('refused') } });
    expect(played.trace.slice(-5).join(', ')).toBe('keep backward, undo b -g, undo a, keep backward, open');
    expect(statuses(played)).toBe('rolled-back, unknown, refused');

    expect(play(played.kept!, { a: {}, b: { look: plain() }, c: {} }, resume()).end.outcome).toBe('rolled-back');
  });

  it('gives no reason when there is none', () => {
    expect(play(dead(CREATE, ABC), ABC, resume()).end).toEqual({ do: 'end', outcome: 'rolled-back' });
  });
});

const SCRIPTS: readonly ScriptedNode[] = [seen(), seen('g'), plain(), plain('g'), SILENT].flatMap((look) =>
  (['done', 'absent', 'exists', 'refused', 'undone', 'failed'] as const).flatMap((result) =>
    [true, false].flatMap((mayLand) => [true, false].map((undo) => ({ look, write: said(result, { mayLand }), undo }))),
  ),
);
/** Nodes that said yes and then show something else, or do not answer the query. */
const LIARS: readonly ScriptedNode[] = [seen(), plain(), plain('g'), seen('g')].flatMap((look) =>
  [seen(), seen('g'), SILENT].map((lookAfter) => ({ look, lookAfter, write: said('done') })),
);
/** The same for the other nodes, with fewer details. */
const SOME = [...SCRIPTS.filter((_, index) => index % 7 === 0), ...LIARS];

function promisesBroken({ end, effects, intent, kept }: Played, first: Input, wanted: Wanted): string[] {
  const isOpen = end.outcome === 'open';
  const touched = intent.nodes.filter(({ isTouched }) => isTouched);
  const bad = intent.nodes.filter(({ status }) => status !== 'done' && status !== 'already');
  const isLetGo = first.type === 'resume' && first.isForgotten && first.unknown === 'leave' && wanted.kind !== 'create';
  const firstAsk = effects.findIndex((effect) => 'node' in effect);
  const undoes = effects.flatMap((effect, index) => (effect.do === 'undo' ? [index] : []));
  const lastOf = (what: Effect['do']): number => effects.findLastIndex((effect) => effect.do === what);
  return [
    ...(effects.filter((effect) => effect.do === 'end').length === 1 ? [] : ['the operation ends more than once']),
    ...(isOpen === (kept !== undefined) ? [] : ['the stored intent is not the open operation']),
    ...(!isOpen || JSON.stringify(kept) === JSON.stringify(intent)
      ? []
      : ['the stored intent differs from the open operation']),
    ...(first.type === 'resume' || firstAsk === 1 ? [] : ['the operation asks before it stores its intent']),
    ...(end.outcome === 'done' && bad.length > 0 ? ['done, but not on all nodes'] : []),
    ...(end.outcome === 'done' && lastOf('look') < lastOf('write') ? ['done without a query'] : []),
    ...(end.outcome === 'done' && undoes.length > 0 ? ['done and undone'] : []),
    ...(end.outcome === 'rolled-back' && touched.length > 0 && !isLetGo ? ['rolled back, but a node has changed'] : []),
    ...(end.outcome === 'refused' && touched.length > 0 && wanted.kind !== 'delete'
      ? ['refused, but a node has changed']
      : []),
    ...(end.reason === '' ? ['an empty reason'] : []),
  ];
}

describe('all operations on two nodes, and every open operation that is taken up again', () => {
  it('keep their promises and use every transition of the table and no other', () => {
    const met = new Set<string>();
    const broken = new Set<string>();
    const note = (played: Played, first: Input, wanted: Wanted): void => {
      for (const transition of played.transitions) met.add(transition);
      for (const promise of promisesBroken(played, first, wanted)) broken.add(`${promise}: ${played.trace.join(', ')}`);
    };
    let taken = 0;
    for (const wanted of [CREATE, DELETE, CLEAR]) {
      for (const a of LIARS) note(play(intentOf(wanted, { a }), { a }), { type: 'begin' }, wanted);
      for (const a of [...SCRIPTS, ...LIARS]) {
        for (const b of [...SCRIPTS, ...LIARS]) {
          const played = play(intentOf(wanted, { a, b }), { a, b });
          note(played, { type: 'begin' }, wanted);
          for (const intent of played.everKept) {
            // In turn, so that each of them meets many.
            taken += 1;
            const nodes = { a: SOME[taken % SOME.length]!, b: SOME[(taken * 5) % (SOME.length - 1)]! };
            const unknown = (['leave-open', 'undo', 'leave'] as const)[taken % 3]!;
            const first = resume(unknown, taken % 11 === 0);
            note(play(intent, nodes, first, taken % 2 === 0), first, wanted);
          }
        }
      }
    }
    const all = Object.entries(PHASES).flatMap(([from, followers]) => followers.map((to) => `${from} -> ${to}`));

    expect([...broken]).toEqual([]);
    expect([...met].sort()).toEqual(all.sort());
  });
});
