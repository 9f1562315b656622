import { describe, expect, it } from '@jest/globals';
import { type ChainPosition, type EncodedRecord, GENESIS } from '../../../kernel/index.js';
import type { AppendMessage, ReplicaMessage } from '../messages.js';
import { decideReplica, NO_PROMISE, promiseAfterLoss, type ReplicaDecision, type ReplicaState } from './replica.js';

const P5 = { clusterId: 'shop', epoch: 5, primaryId: 'five' };
const P6 = { clusterId: 'shop', epoch: 6, primaryId: 'six' };
const EMPTY: ReplicaState = { ...NO_PROMISE, clusterId: undefined, position: GENESIS, firstSeq: 1 };

/** Named after its place; a fork's hashes are its own. */
function at(epoch: number, seq: number, fork = ''): ChainPosition {
  return seq === 0 ? GENESIS : { epoch, seq, hash: `${epoch}.${seq}${fork}` };
}

function records(epoch: number, first: number, last: number, fork = ''): EncodedRecord[] {
  return Array.from({ length: last - first + 1 }, (_, i) => ({
    ...at(epoch, first + i, fork),
    json: `{${first + i}}`,
  }));
}

function append(after: ChainPosition, shipped: EncodedRecord[], parts: Partial<AppendMessage> = {}): AppendMessage {
  const durableSeq = after.seq + shipped.length;
  return { kind: 'append', from: P5, after, records: shipped, durableSeq, ...parts };
}

/** A replica that follows P5, is caught up and stands at 5.4. */
const CAUGHT_UP = [append(GENESIS, records(5, 1, 4))].reduce((state, m) => decideReplica(state, m).state, EMPTY);

function deeds({ effects }: ReplicaDecision): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'append') return `append ${effect.records.map(({ seq }) => seq).join()}`;
    if (effect.kind === 'keep-promise') return `promise ${effect.promise.promisedEpoch} vote ${effect.promise.canVote}`;
    if (effect.kind === 'answer') return `${effect.answer.verdict} ${effect.answer.report.position.seq}`;
    return effect.kind;
  });
}

describe('a replica that is sent records', () => {
  it('given a new epoch, makes the promise durable, then the records, then answers where it stands', () => {
    expect(deeds(decideReplica(EMPTY, append(GENESIS, records(5, 1, 2), { durableSeq: 9 })))).toEqual([
      'promise 5 vote false',
      'append 1,2',
      'accepted 2',
    ]);
  });

  it('given all that its primary has, makes durable that it can vouch again only after the records', () => {
    expect(deeds(decideReplica(EMPTY, append(GENESIS, records(5, 1, 2))))).toEqual([
      'promise 5 vote false',
      'append 1,2',
      'promise 5 vote true',
      'accepted 2',
    ]);
  });

  it('given records that it has in part, takes only the rest', () => {
    expect(deeds(decideReplica(CAUGHT_UP, append(at(5, 2), records(5, 3, 6))))).toEqual(['append 5,6', 'accepted 6']);
  });

  it('given the same message again, or one from long ago, changes nothing and answers where it stands', () => {
    for (const message of [append(at(5, 2), records(5, 3, 4)), append(GENESIS, records(5, 1, 1))]) {
      const decision = decideReplica(CAUGHT_UP, message);
      expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['accepted 4']]);
    }
  });

  it('given records beyond its own end, takes nothing and says where it stands', () => {
    expect(deeds(decideReplica(CAUGHT_UP, append(at(5, 6), records(5, 7, 8))))).toEqual(['gap 4']);
  });

  it.each([
    ['that begin at its end', append(at(5, 4, 'b'), records(5, 5, 6, 'b'))],
    ['that overlap its end', append(at(5, 2), records(5, 3, 6, 'b'))],
    ['of which there are none', append(at(5, 4, 'b'), [])],
  ])('given records of another history %s, takes nothing', (_, message) => {
    const decision = decideReplica(CAUGHT_UP, message);
    expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['diverged 4']]);
  });

  it('given an older epoch, or a second primary in one epoch, takes nothing and promises nothing', () => {
    const promised = decideReplica(CAUGHT_UP, { kind: 'promise', from: P6 }).state;
    for (const from of [P5, { ...P6, primaryId: 'other' }]) {
      const decision = decideReplica(promised, append(at(5, 4), records(5, 5, 5), { from }));
      expect([decision.state, deeds(decision)]).toEqual([promised, ['stale-epoch 4']]);
    }
  });

  it('given another cluster, takes nothing and promises nothing', () => {
    const decision = decideReplica(CAUGHT_UP, append(at(5, 4), [], { from: { ...P6, clusterId: 'other' } }));
    expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['foreign-cluster 4']]);
  });

  it('given only a part of what its primary has, still cannot vouch', () => {
    const { state } = decideReplica(EMPTY, append(GENESIS, records(5, 1, 3), { durableSeq: 4 }));
    expect(state.canVote).toBe(false);
    expect(decideReplica(state, append(at(5, 3), records(5, 4, 4))).state.canVote).toBe(true);
  });
});

describe('a replica that is told to set its data aside', () => {
  const condemned = decideReplica(CAUGHT_UP, { kind: 'set-aside', from: P6 });

  it('makes durable that it cannot vouch before the data goes', () => {
    expect(deeds(condemned)).toEqual(['promise 6 vote true', 'promise 6 vote false', 'set-aside', 'accepted 0']);
    expect(condemned.state).toMatchObject({ clusterId: undefined, canVote: false, promisedEpoch: 6, firstSeq: 1 });
  });

  it('told so twice, does nothing the second time', () => {
    expect(deeds(decideReplica(condemned.state, { kind: 'set-aside', from: P6 }))).toEqual(['accepted 0']);
  });

  it('given a late message from before, cannot vouch until it is back where it stood', () => {
    const early = decideReplica(condemned.state, append(GENESIS, records(5, 1, 3), { from: P6 }));
    expect(early.state.canVote).toBe(false);
    const back = decideReplica(early.state, append(at(5, 3), records(5, 4, 4), { from: P6 }));
    expect(back.state.canVote).toBe(true);
  });

  it('given a shorter history of a newer epoch, can vouch with its first record of that', () => {
    const older = decideReplica(condemned.state, append(GENESIS, records(5, 1, 2), { from: P6 }));
    const newer = decideReplica(older.state, append(at(5, 2), records(6, 3, 3), { from: P6 }));
    expect([older.state.canVote, newer.state.canVote]).toEqual([false, true]);
  });
});

describe('a replica that finds the end of its records cut off', () => {
  const cut = (expected: ChainPosition | undefined): ReplicaState => ({
    ...CAUGHT_UP,
    ...promiseAfterLoss(CAUGHT_UP, expected),
    position: at(5, 2),
  });

  it('keeps its promise and cannot vouch until it is back where it stood, whatever a late message says', () => {
    expect(cut(at(5, 4))).toMatchObject({ promisedEpoch: 5, promisedPrimaryId: 'five', canVote: false });
    const late = decideReplica(cut(at(5, 4)), append(at(5, 2), records(5, 3, 3)));
    expect(late.state.canVote).toBe(false);
    expect(decideReplica(late.state, append(at(5, 3), records(5, 4, 4))).state.canVote).toBe(true);
  });

  it('where nobody knows how much it was, can vouch once it has all that its primary has', () => {
    const behind = decideReplica(cut(undefined), append(at(5, 2), records(5, 3, 3), { durableSeq: 4 }));
    expect(behind.state.canVote).toBe(false);
    expect(decideReplica(behind.state, append(at(5, 3), records(5, 4, 4))).state.canVote).toBe(true);
  });

  it('never forgets what it forgot before', () => {
    expect(promiseAfterLoss({ ...NO_PROMISE, forgot: at(6, 1) }, at(5, 9)).forgot).toEqual(at(6, 1));
  });
});

describe('a replica that is given a snapshot', () => {
  const install = (position: ChainPosition): ReplicaMessage => ({ kind: 'install', from: P5, position });

  it('given one that is ahead of it, puts it in place and stands at its end', () => {
    const decision = decideReplica(CAUGHT_UP, install(at(5, 7)));
    expect(deeds(decision)).toEqual(['install', 'accepted 7']);
    expect(decision.state).toMatchObject({ position: at(5, 7), firstSeq: 8, clusterId: 'shop', canVote: true });
  });

  it('given one that is not ahead of it, keeps what it has', () => {
    for (const seq of [3, 4]) {
      const decision = decideReplica(CAUGHT_UP, install(at(5, seq)));
      expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['accepted 4']]);
    }
  });

  it('given a longer one of an older epoch than its own, says that the two are not one history', () => {
    const decision = decideReplica({ ...CAUGHT_UP, position: at(5, 4) }, install(at(4, 7)));
    expect([decision.state.position, deeds(decision)]).toEqual([at(5, 4), ['diverged 4']]);
  });

  it('made anew by one, cannot vouch before it has caught up', () => {
    const { state } = decideReplica(EMPTY, install(at(5, 7)));
    expect(state.canVote).toBe(false);
    expect(decideReplica(state, append(at(5, 7), [])).state.canVote).toBe(true);
  });
});

describe('a replica that is asked for a promise', () => {
  it('promises a newer epoch durably before it tells where it stands, and no lower one after', () => {
    const decision = decideReplica(CAUGHT_UP, { kind: 'promise', from: P6 });
    expect(deeds(decision)).toEqual(['promise 6 vote true', 'accepted 4']);
    expect(deeds(decideReplica(decision.state, { kind: 'promise', from: P5 }))).toEqual(['stale-epoch 4']);
  });

  it('asked again by the same, says the same; by another in that epoch, refuses', () => {
    const { state } = decideReplica(CAUGHT_UP, { kind: 'promise', from: P6 });
    expect(deeds(decideReplica(state, { kind: 'promise', from: P6 }))).toEqual(['accepted 4']);
    const other = { epoch: 6, primaryId: 'other' };
    expect(deeds(decideReplica(state, { kind: 'promise', from: other }))).toEqual(['stale-epoch 4']);
  });
});
