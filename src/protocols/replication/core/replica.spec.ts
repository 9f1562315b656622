import { describe, expect, it } from '@jest/globals';
import { type ChainPosition, type EncodedRecord, GENESIS } from '../../../kernel/index.js';
import type { AppendMessage, ReplicaMessage } from '../messages.js';
import { decideReplica, NO_PROMISE, promiseAfterLoss, type ReplicaDecision, type ReplicaState } from './replica.js';

const P5 = { clusterId: 'shop', epoch: 5, primaryId: 'five' };
const P6 = { clusterId: 'shop', epoch: 6, primaryId: 'six' };
const EMPTY: ReplicaState = { ...NO_PROMISE, clusterId: undefined, position: GENESIS, firstSeq: 1 };

/** A position whose hash is derived from its number; a fork has its own hashes. */
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

/** A replica that follows P5, has caught up and is at 5.4. */
const CAUGHT_UP = [append(GENESIS, records(5, 1, 4))].reduce((state, m) => decideReplica(state, m).state, EMPTY);

function deeds({ effects }: ReplicaDecision): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'append') return `append ${effect.records.map(({ seq }) => seq).join()}`;
    if (effect.kind === 'keep-promise') return `promise ${effect.promise.promisedEpoch} vote ${effect.promise.canVote}`;
    if (effect.kind === 'answer') return `${effect.answer.verdict} ${effect.answer.report.position.seq}`;
    return effect.kind;
  });
}

describe('a replica that receives records', () => {
  it('given a new epoch, makes the promise durable, then the records, then answers with its position', () => {
    expect(deeds(decideReplica(EMPTY, append(GENESIS, records(5, 1, 2), { durableSeq: 9 })))).toEqual([
      'promise 5 vote false',
      'append 1,2',
      'accepted 2',
    ]);
  });

  it('given all records of its primary, makes the records durable before its right to vote', () => {
    expect(deeds(decideReplica(EMPTY, append(GENESIS, records(5, 1, 2))))).toEqual([
      'promise 5 vote false',
      'append 1,2',
      'promise 5 vote true',
      'accepted 2',
    ]);
  });

  it('given records that it holds in part, stores only the rest', () => {
    expect(deeds(decideReplica(CAUGHT_UP, append(at(5, 2), records(5, 3, 6))))).toEqual(['append 5,6', 'accepted 6']);
  });

  it('given a repeated or an old message, changes nothing and answers with its position', () => {
    for (const message of [append(at(5, 2), records(5, 3, 4)), append(GENESIS, records(5, 1, 1))]) {
      const decision = decideReplica(CAUGHT_UP, message);
      expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['accepted 4']]);
    }
  });

  it('given records beyond its own end, stores nothing and answers with its position', () => {
    expect(deeds(decideReplica(CAUGHT_UP, append(at(5, 6), records(5, 7, 8))))).toEqual(['gap 4']);
  });

  it.each([
    ['that begin at its end', append(at(5, 4, 'b'), records(5, 5, 6, 'b'))],
    ['that overlap its end', append(at(5, 2), records(5, 3, 6, 'b'))],
    ['without records', append(at(5, 4, 'b'), [])],
  ])('given records of another history %s, stores nothing', (_, message) => {
    const decision = decideReplica(CAUGHT_UP, message);
    expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['diverged 4']]);
  });

  it('given an older epoch, or a second primary in one epoch, stores nothing and promises nothing', () => {
    const promised = decideReplica(CAUGHT_UP, { kind: 'promise', from: P6 }).state;
    for (const from of [P5, { ...P6, primaryId: 'other' }]) {
      const decision = decideReplica(promised, append(at(5, 4), records(5, 5, 5), { from }));
      expect([decision.state, deeds(decision)]).toEqual([promised, ['stale-epoch 4']]);
    }
  });

  it('given another cluster, stores nothing and promises nothing', () => {
    const decision = decideReplica(CAUGHT_UP, append(at(5, 4), [], { from: { ...P6, clusterId: 'other' } }));
    expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['foreign-cluster 4']]);
  });

  it('given only some of its primary’s records, still cannot vote', () => {
    const { state } = decideReplica(EMPTY, append(GENESIS, records(5, 1, 3), { durableSeq: 4 }));
    expect(state.canVote).toBe(false);
    expect(decideReplica(state, append(at(5, 3), records(5, 4, 4))).state.canVote).toBe(true);
  });
});

describe('a replica that must quarantine its data', () => {
  const condemned = decideReplica(CAUGHT_UP, { kind: 'set-aside', from: P6 });

  it('makes durable that it cannot vote before it moves the data', () => {
    expect(deeds(condemned)).toEqual(['promise 6 vote true', 'promise 6 vote false', 'set-aside', 'accepted 0']);
    expect(condemned.state).toMatchObject({ clusterId: undefined, canVote: false, promisedEpoch: 6, firstSeq: 1 });
  });

  it('given the message twice, does nothing the second time', () => {
    expect(deeds(decideReplica(condemned.state, { kind: 'set-aside', from: P6 }))).toEqual(['accepted 0']);
  });

  it('given a late message of earlier records, cannot vote until it is back at its former position', () => {
    const early = decideReplica(condemned.state, append(GENESIS, records(5, 1, 3), { from: P6 }));
    expect(early.state.canVote).toBe(false);
    const back = decideReplica(early.state, append(at(5, 3), records(5, 4, 4), { from: P6 }));
    expect(back.state.canVote).toBe(true);
  });

  it('given a shorter history of a newer epoch, can vote from its first record of that epoch', () => {
    const older = decideReplica(condemned.state, append(GENESIS, records(5, 1, 2), { from: P6 }));
    const newer = decideReplica(older.state, append(at(5, 2), records(6, 3, 3), { from: P6 }));
    expect([older.state.canVote, newer.state.canVote]).toEqual([false, true]);
  });
});

describe('a replica that has lost the end of its records', () => {
  const cut = (expected: ChainPosition | undefined): ReplicaState => ({
    ...CAUGHT_UP,
    ...promiseAfterLoss(CAUGHT_UP, expected),
    position: at(5, 2),
  });

  it('keeps its promise and cannot vote until it is back at its former position, whatever a late message says', () => {
    expect(cut(at(5, 4))).toMatchObject({ promisedEpoch: 5, promisedPrimaryId: 'five', canVote: false });
    const late = decideReplica(cut(at(5, 4)), append(at(5, 2), records(5, 3, 3)));
    expect(late.state.canVote).toBe(false);
    expect(decideReplica(late.state, append(at(5, 3), records(5, 4, 4))).state.canVote).toBe(true);
  });

  it('given an unknown former position, can vote once it has all records of its primary', () => {
    const behind = decideReplica(cut(undefined), append(at(5, 2), records(5, 3, 3), { durableSeq: 4 }));
    expect(behind.state.canVote).toBe(false);
    expect(decideReplica(behind.state, append(at(5, 3), records(5, 4, 4))).state.canVote).toBe(true);
  });

  it('remembers an earlier loss', () => {
    expect(promiseAfterLoss({ ...NO_PROMISE, forgot: at(6, 1) }, at(5, 9)).forgot).toEqual(at(6, 1));
  });
});

describe('a replica that receives a snapshot', () => {
  const install = (position: ChainPosition): ReplicaMessage => ({ kind: 'install', from: P5, position });

  it('given a snapshot that is ahead, installs it and is at its position', () => {
    const decision = decideReplica(CAUGHT_UP, install(at(5, 7)));
    expect(deeds(decision)).toEqual(['install', 'accepted 7']);
    expect(decision.state).toMatchObject({ position: at(5, 7), firstSeq: 8, clusterId: 'shop', canVote: true });
  });

  it('given a snapshot that is not ahead, keeps its own data', () => {
    for (const seq of [3, 4]) {
      const decision = decideReplica(CAUGHT_UP, install(at(5, seq)));
      expect([decision.state, deeds(decision)]).toEqual([CAUGHT_UP, ['accepted 4']]);
    }
  });

  it('given a longer snapshot of an older epoch, answers that the histories differ', () => {
    const decision = decideReplica({ ...CAUGHT_UP, position: at(5, 4) }, install(at(4, 7)));
    expect([decision.state.position, deeds(decision)]).toEqual([at(5, 4), ['diverged 4']]);
  });

  it('that was copied again, cannot vote before it has caught up', () => {
    const { state } = decideReplica(EMPTY, install(at(5, 7)));
    expect(state.canVote).toBe(false);
    expect(decideReplica(state, append(at(5, 7), [])).state.canVote).toBe(true);
  });
});

describe('a replica that is asked for a promise', () => {
  it('promises a newer epoch durably before it reports its position, and no lower epoch afterwards', () => {
    const decision = decideReplica(CAUGHT_UP, { kind: 'promise', from: P6 });
    expect(deeds(decision)).toEqual(['promise 6 vote true', 'accepted 4']);
    expect(deeds(decideReplica(decision.state, { kind: 'promise', from: P5 }))).toEqual(['stale-epoch 4']);
  });

  it('given the question again, repeats its answer to the same primary and refuses another primary', () => {
    const { state } = decideReplica(CAUGHT_UP, { kind: 'promise', from: P6 });
    expect(deeds(decideReplica(state, { kind: 'promise', from: P6 }))).toEqual(['accepted 4']);
    const other = { epoch: 6, primaryId: 'other' };
    expect(deeds(decideReplica(state, { kind: 'promise', from: other }))).toEqual(['stale-epoch 4']);
  });
});
