import { describe, expect, it } from '@jest/globals';
import type { ReplicaReport, ReplicaVerdict } from '../messages.js';
import { admits } from './confirmation.js';
import { beginPrimary, decidePrimary, type PrimaryDecision, type PrimaryEffect, type PrimaryInput } from './primary.js';
import { CONDITIONS, MAX_QUARANTINES, type ReplicaView } from './replica-view.js';

/** Epoch 5 of four replicas, two of which must hold a write; its first record is number 10. */
const BEGUN = beginPrimary({
  identity: { clusterId: 'shop', epoch: 5, primaryId: 'five' },
  replicas: ['a', 'b', 'c', 'd'],
  minInSync: 2,
  epochStart: { epoch: 5, seq: 10, hash: '5.10' },
});

type Answered = Extract<PrimaryInput, { kind: 'answered' }>;

function answered(
  replica: string,
  seq: number,
  parts: Partial<Answered> = {},
  verdict: ReplicaVerdict = 'accepted',
): Answered {
  const report: ReplicaReport = {
    clusterId: 'shop',
    promisedEpoch: 5,
    promisedPrimaryId: 'five',
    position: { epoch: 5, seq, hash: `5.${seq}` },
    firstSeq: 1,
    canVote: true,
  };
  const answer = { verdict, report };
  return { kind: 'answered', replica, answer, relation: 'on-chain', canShipAfter: true, ...parts };
}

const durable = (seq: number): PrimaryInput => ({ kind: 'durable', seq });
const due = (replica: string): PrimaryInput => ({ kind: 'due', replica });
const failed = (replica: string, error = 'no answer'): PrimaryInput => ({ kind: 'failed', replica, error });
const audited = (replicas: Record<string, string>): PrimaryInput => ({ kind: 'audited', own: 'good', replicas });
const OFF: Partial<Answered> = { relation: 'off-chain' };
const GONE: Partial<Answered> = { relation: 'unknown', canShipAfter: false };

/** The last decision after these inputs. */
function after(...inputs: readonly PrimaryInput[]): PrimaryDecision {
  return inputs.reduce<PrimaryDecision>((decision, input) => decidePrimary(decision.state, input), BEGUN);
}

function deeds({ effects }: PrimaryDecision): string[] {
  return effects.map(deed);
}

function deed(effect: PrimaryEffect): string {
  if (effect.kind === 'confirmed') return `confirmed ${effect.all} ${effect.majority}`;
  if (effect.kind === 'send-append') return `append ${effect.replica} ${effect.afterSeq}`;
  return effect.kind === 'stop' ? `stop: ${effect.reason}` : `${effect.kind} ${effect.replica}`;
}

function viewOf(decision: PrimaryDecision, name: string): ReplicaView {
  return decision.state.replicas.find((view) => view.name === name)!;
}

const condition = (decision: PrimaryDecision, name: string): string => viewOf(decision, name).condition;

const ALL_IN_SYNC = ['a', 'b', 'c', 'd'].map((name) => answered(name, 10));

describe('a primary that begins', () => {
  it('sends each replica its first record and admits nothing yet', () => {
    expect(deeds(BEGUN)).toEqual(['append a 9', 'append b 9', 'append c 9', 'append d 9']);
    expect(admits(BEGUN.state)).toBe(false);
  });

  it('given no replicas and MIN_INSYNC 0, confirms its own durable records', () => {
    const alone = beginPrimary({
      ...BEGUN.state,
      replicas: [],
      minInSync: 0,
      epochStart: { epoch: 5, seq: 10, hash: '' },
    });
    expect(deeds(alone)).toEqual(['confirmed 10 10']);
    expect(deeds(decidePrimary(alone.state, durable(11)))).toEqual(['confirmed 11 11']);
  });

  it('given its first record on two replicas, admits and confirms', () => {
    expect(deeds(after(answered('a', 10)))).toEqual([]);
    const both = after(answered('a', 10), answered('b', 10));
    expect([deeds(both), admits(both.state)]).toEqual([['confirmed 10 10'], true]);
  });

  it('given older records on two replicas and its first record on none, confirms nothing', () => {
    const older = after(answered('a', 9), answered('b', 9), answered('c', 9));
    expect(older.state.confirmed).toEqual({ all: 0, majority: 0 });
  });
});

describe('a primary with replicas in sync', () => {
  it('ships durable records, one message at a time, and then all records that accumulated', () => {
    const first = after(...ALL_IN_SYNC, durable(11));
    expect(deeds(first)).toEqual(['append a 10', 'append b 10', 'append c 10', 'append d 10']);
    expect(deeds(after(...ALL_IN_SYNC, durable(11), durable(13)))).toEqual([]);
    expect(deeds(after(...ALL_IN_SYNC, durable(11), durable(13), answered('a', 11)))).toEqual(['append a 11']);
  });

  it('confirms under majority with two replicas, and under all with the last in-sync replica', () => {
    const inputs = [...ALL_IN_SYNC, durable(11), answered('a', 11)];
    expect(after(...inputs).state.confirmed).toEqual({ all: 10, majority: 10 });
    expect(deeds(after(...inputs, answered('b', 11)))).toEqual(['confirmed 10 11']);
    expect(after(...inputs, answered('b', 11), answered('c', 11)).state.confirmed.all).toBe(10);
    expect(after(...inputs, answered('b', 11), answered('c', 11), failed('d')).state.confirmed.all).toBe(11);
  });

  it('given fewer than two in-sync replicas, admits and confirms nothing, and withdraws nothing', () => {
    const lost = [...ALL_IN_SYNC, durable(11), answered('a', 11), failed('b'), failed('c'), failed('d')];
    expect(admits(after(...lost).state)).toBe(false);
    expect(after(...lost).state.confirmed).toEqual({ all: 10, majority: 10 });
  });

  it('sends a heartbeat when it is due, unless a message is under way', () => {
    expect(deeds(after(...ALL_IN_SYNC, due('a')))).toEqual(['append a 10']);
    expect(deeds(after(...ALL_IN_SYNC, due('a'), due('a')))).toEqual([]);
  });

  it('given an answer after the failure of its message, ignores it', () => {
    const gone = after(...ALL_IN_SYNC, durable(11), failed('a'));
    expect(decidePrimary(gone.state, answered('a', 11))).toEqual({ state: gone.state, effects: [] });
  });

  it('given a replica whose disk went back in time, removes it from the set, ships again and compares before it counts', () => {
    const shipped = [...ALL_IN_SYNC, durable(11), answered('a', 11), due('a')];
    const back = after(...shipped, answered('a', 4, {}, 'gap'));
    expect([condition(back, 'a'), deeds(back)]).toEqual(['catching-up', ['append a 4']]);
    expect(deeds(after(...shipped, answered('a', 4, {}, 'gap'), answered('a', 11)))).toEqual(['verify a']);
  });
});

describe('a primary with a replica whose disk was lost', () => {
  it('given first records that are only in a snapshot, sends the snapshot and compares before the replica counts', () => {
    const lost = after(...ALL_IN_SYNC, due('a'), answered('a', 0, { canShipAfter: false }, 'gap'));
    expect([deeds(lost), viewOf(lost, 'a')]).toMatchObject([['send-snapshot a'], { ackedSeq: 0, mustVerify: true }]);
  });
});

describe('a primary with a replica that is away', () => {
  it('sends it an empty append when it is due, and ships from its position', () => {
    const away = [failed('a', 'connection\n  refused'), durable(12)];
    expect(viewOf(after(...away), 'a').lastError).toBe('connection refused');
    expect(deeds(after(...away, due('a')))).toEqual(['append a 12']);
    expect(deeds(after(...away, due('a'), answered('a', 7, {}, 'gap')))).toEqual(['append a 7']);
  });

  it('counts it in sync when an answer covers all records that were durable when the message was sent', () => {
    const returning = [failed('a'), due('a'), durable(12), answered('a', 9, {}, 'gap'), durable(14)];
    expect(condition(after(...returning, answered('a', 11)), 'a')).toBe('catching-up');
    const level = after(...returning, answered('a', 12));
    expect(viewOf(level, 'a')).toMatchObject({ condition: 'in-sync', lastError: undefined });
    expect(deeds(level)).toContain('append a 12');
  });

  it('that belongs to another cluster, does not change its data and reports it', () => {
    const foreign = after(answered('a', 10, OFF, 'foreign-cluster'));
    expect(deeds(foreign)).toEqual([]);
    expect(viewOf(foreign, 'a')).toMatchObject({
      condition: 'unreachable',
      lastError: expect.stringMatching(/cluster/),
    });
  });
});

describe('a primary with a replica that is too far behind', () => {
  it('sends the snapshot, ships the rest, compares states and only then counts the replica', () => {
    const behind = after(answered('a', 3, GONE, 'gap'));
    expect([condition(behind, 'a'), deeds(behind)]).toEqual(['snapshot', ['send-snapshot a']]);
    const inputs = [answered('a', 3, GONE, 'gap'), answered('a', 8)];
    expect(deeds(after(...inputs))).toEqual(['append a 8']);
    expect(deeds(after(...inputs, answered('a', 10)))).toEqual(['verify a']);
    expect(after(...inputs, answered('a', 10), answered('b', 10)).state.confirmed.majority).toBe(0);
    const equal = after(...inputs, answered('a', 10), audited({ a: 'good' }));
    expect([condition(equal, 'a'), deeds(equal)]).toEqual(['catching-up', ['append a 10']]);
    const joined = after(...inputs, answered('a', 10), audited({ a: 'good' }), answered('a', 10));
    expect(condition(joined, 'a')).toBe('in-sync');
  });

  it('whose answer to the snapshot is lost, compares states before it counts the replica', () => {
    const inputs = [answered('a', 3, GONE, 'gap'), failed('a'), due('a'), answered('a', 10)];
    expect(viewOf(after(...inputs), 'a')).toMatchObject({ condition: 'catching-up', mustVerify: true });
    expect(after(...inputs, answered('b', 10)).state.confirmed.majority).toBe(0);
  });

  it('given a snapshot that is too old by then, waits until the replica is due', () => {
    const useless = after(answered('a', 3, GONE, 'gap'), answered('a', 5, GONE));
    expect([condition(useless, 'a'), deeds(useless)]).toEqual(['unreachable', []]);
  });

  it('given a comparison without a result, compares again later', () => {
    const inputs = [answered('a', 3, GONE, 'gap'), answered('a', 10), failed('a'), due('a')];
    expect(deeds(after(...inputs, answered('a', 10)))).toEqual(['verify a']);
  });
});

describe('a primary with a replica of another history', () => {
  it.each([
    ['reports that it differs', answered('a', 10, {}, 'diverged')],
    ['is off the chain', answered('a', 12, OFF)],
  ])('that %s, has the replica quarantine its data and copies it again', (_, input) => {
    const condemned = after(input);
    expect([condition(condemned, 'a'), deeds(condemned)]).toEqual(['quarantined', ['send-set-aside a']]);
    expect(deeds(after(input, answered('a', 0)))).toEqual(['append a 0']);
    expect(deeds(after(input, answered('a', 0), answered('a', 10)))).toEqual(['verify a']);
  });

  it('keeps it quarantined while it is silent', () => {
    const silent = after(answered('a', 12, OFF), failed('a'));
    expect(condition(silent, 'a')).toBe('quarantined');
    expect(deeds(decidePrimary(silent.state, due('a')))).toEqual(['send-set-aside a']);
  });

  it('that differs after each new copy, gives it up in the end', () => {
    const remade = [answered('a', 0), answered('a', 10), audited({ a: 'bad' })];
    const inputs = [answered('a', 12, OFF), ...Array.from({ length: MAX_QUARANTINES }, () => remade).flat()];
    expect(deeds(after(...inputs))).toEqual([]);
    expect(deeds(after(...inputs, due('a')))).toEqual([]);
  });
});

describe('a primary that compares states', () => {
  it('given a replica that differs while a message is under way, quarantines it after the answer', () => {
    const busy = [...ALL_IN_SYNC, due('a'), audited({ a: 'bad', b: 'good', c: 'good' })];
    expect([condition(after(...busy), 'a'), deeds(after(...busy))]).toEqual(['quarantined', []]);
    expect(deeds(after(...busy, answered('a', 10)))).toEqual(['send-set-aside a']);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['two agree on another state and none with the primary', { a: 'bad', b: 'bad' }, true],
    ['as many agree on another state as with the primary', { a: 'bad', b: 'bad', c: 'good', d: 'good' }, true],
    ['two differ from the primary and from each other', { a: 'bad', b: 'worse' }, false],
    ['one differs', { a: 'bad' }, false],
  ])('when %s: stops %s -> %s', (_, replicas, stops) => {
    const decision = after(...ALL_IN_SYNC, audited(replicas));
    expect(decision.effects.some(({ kind }) => kind === 'stop')).toBe(stops);
  });
});

describe('a primary that is overruled', () => {
  it.each([
    [6, 'six'],
    [5, 'other'],
  ])('by a promise of epoch %i to %s, stops', (promisedEpoch, promisedPrimaryId) => {
    const { answer } = answered('a', 10, {}, 'stale-epoch');
    const report = { ...answer.report, promisedEpoch, promisedPrimaryId };
    expect(deeds(after(answered('a', 10, { answer: { ...answer, report } })))).toEqual([
      `stop: a has promised epoch ${promisedEpoch} to another primary; this one has 5`,
    ]);
  });

  it('by a refusal without evidence, continues without that replica', () => {
    expect(condition(after(answered('a', 10, {}, 'stale-epoch')), 'a')).toBe('unreachable');
  });
});

describe('the conditions of a replica', () => {
  it('can each lead to every other', () => {
    for (const start of Object.values(CONDITIONS)) {
      const reached = new Set(Object.values(start));
      for (const condition of reached) for (const next of Object.values(CONDITIONS[condition])) reached.add(next);
      expect([...reached].sort()).toEqual(Object.keys(CONDITIONS).sort());
    }
  });
});
