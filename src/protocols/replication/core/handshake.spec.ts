import { describe, expect, it } from '@jest/globals';
import { GENESIS } from '../../../kernel/index.js';
import type { ReplicaReport } from '../messages.js';
import { decideHandshake, type Heard, type OwnHistory, quorumOf } from './handshake.js';

const NEW: OwnHistory = { clusterId: undefined, position: GENESIS, primaryId: 'me', forks: [] };
const OWN: OwnHistory = { ...NEW, clusterId: 'shop', position: { epoch: 5, seq: 10, hash: '5.10' } };
const EMPTY: ReplicaReport = {
  clusterId: undefined,
  promisedEpoch: 0,
  promisedPrimaryId: undefined,
  position: GENESIS,
  firstSeq: 1,
  canVote: false,
};

function holding(epoch: number, seq: number, parts: Partial<ReplicaReport> = {}): ReplicaReport {
  const position = { epoch, seq, hash: `${epoch}.${seq}` };
  return {
    ...EMPTY,
    clusterId: 'shop',
    promisedEpoch: 5,
    promisedPrimaryId: 'five',
    position,
    canVote: true,
    ...parts,
  };
}

const mine = (promisedEpoch: number): Partial<ReplicaReport> => ({ promisedEpoch, promisedPrimaryId: 'me' });

const decide = (own: OwnHistory, heard: Heard): ReturnType<typeof decideHandshake> => decideHandshake(own, heard, 4, 2);

describe('the quorum', () => {
  it.each([
    [4, 2, 3],
    [4, 1, 4],
    [4, 4, 1],
    [4, 0, 4],
    [1, 1, 1],
    [0, 0, 0],
  ])('of %i replicas that confirm with %i is %i', (replicas, minInSync, quorum) => {
    expect(quorumOf(replicas, minInSync)).toBe(quorum);
  });
});

describe('the handshake of a primary', () => {
  it('given no replicas, opens the next epoch', () => {
    expect(decideHandshake(OWN, {}, 0, 0)).toEqual({ kind: 'open', epoch: 6 });
    expect(decideHandshake(NEW, {}, 0, 0)).toEqual({ kind: 'open', epoch: 1 });
  });

  it('given answers of fewer than a quorum, waits', () => {
    expect(decide(OWN, { a: holding(5, 10), b: holding(5, 10) })).toEqual({ kind: 'wait', heard: 2, needed: 3 });
  });

  it('given a quorum that holds no more than the primary, asks for promises of an epoch above all known epochs', () => {
    const heard = { a: holding(5, 10), b: holding(5, 9), c: holding(5, 10, { promisedEpoch: 8 }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 9 });
  });

  it('given the promises of a quorum, opens that epoch', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 9, mine(6)), c: holding(5, 10, mine(6)) };
    expect(decide(OWN, heard)).toEqual({ kind: 'open', epoch: 6 });
  });

  it('given too few promises, asks again for the same epoch', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 10), c: holding(5, 10), d: holding(5, 10, mine(6)) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 6 });
  });

  it('given that another primary was promised the same or a newer epoch meanwhile, asks for a higher epoch', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 10, mine(6)), c: holding(5, 10, { promisedEpoch: 7 }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 8 });
  });

  it('given that a part of the quorum promised the epoch to another primary, asks for a higher epoch', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 10, mine(6)), c: holding(5, 10, { promisedEpoch: 6 }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 7 });
  });

  it('given a promise with records that the primary lacks, pulls them before it opens', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 11, mine(6)), c: holding(5, 10, mine(6)) };
    expect(decide(OWN, heard)).toEqual({ kind: 'pull', replica: 'b' });
  });

  it('given a new cluster, opens the first epoch with a quorum of empty replicas', () => {
    const heard = { a: EMPTY, b: EMPTY, c: EMPTY };
    expect(decide(NEW, heard)).toEqual({ kind: 'ask-promises', epoch: 1 });
    const promised = { ...EMPTY, ...mine(1) };
    expect(decide(NEW, { a: promised, b: promised, c: promised })).toEqual({ kind: 'open', epoch: 1 });
  });

  it('given data here and replicas that cannot vote, waits until every replica has answered', () => {
    const heard = { a: holding(5, 10), b: EMPTY, c: holding(5, 4, { canVote: false }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'wait', heard: 3, needed: 4 });
    expect(decide(OWN, { ...heard, d: EMPTY })).toEqual({ kind: 'ask-promises', epoch: 6 });
  });

  describe('of a primary that lost the end of its own history', () => {
    const missing = 'the journal ends with 5.10 and went on to 5.12';
    const CUT: OwnHistory = { ...OWN, missing };

    it('given a replica that is ahead, pulls from it, even when this primary holds nothing', () => {
      const heard = { a: holding(5, 10), b: holding(5, 11), c: holding(5, 10) };
      expect(decide(CUT, heard)).toEqual({ kind: 'pull', replica: 'b' });
      expect(decide({ ...NEW, missing }, heard)).toEqual({ kind: 'pull', replica: 'b' });
    });

    it('given a quorum that is not ahead, waits for the others, asks for no promise and reports the missing records', () => {
      const heard = { a: holding(5, 10), b: holding(5, 10), c: holding(5, 9) };
      expect(decide(CUT, heard)).toEqual({ kind: 'wait-for-all', missing });
    });

    it('given answers of all replicas and none ahead, refuses and reports the missing records', () => {
      const heard = { a: holding(5, 10), b: holding(5, 10), c: holding(5, 9), d: EMPTY };
      expect(decide(CUT, heard)).toMatchObject({ kind: 'refuse', reason: expect.stringContaining(missing) });
      const empty = { a: EMPTY, b: EMPTY, c: EMPTY, d: EMPTY };
      expect(decide({ ...NEW, missing }, empty)).toMatchObject({ kind: 'refuse' });
    });

    it('given replicas whose records do not follow, refuses', () => {
      const heard = { a: holding(6, 10), b: holding(5, 10), c: holding(5, 10) };
      expect(decide(CUT, heard)).toMatchObject({ kind: 'refuse' });
      expect(decide({ ...CUT, forks: ['b'] }, { ...heard, a: holding(5, 10), b: holding(5, 12) })).toMatchObject({
        kind: 'refuse',
      });
    });
  });

  it.each<[string, OwnHistory, Heard, RegExp]>([
    ['no data here and data there', NEW, { a: holding(5, 10) }, /^This data directory is empty, but replica a/],
    ['the data of another cluster there', OWN, { a: holding(1, 1, { clusterId: 'x' }) }, /another cluster \(x;/],
    [
      'a newer epoch there at a number that is used here',
      OWN,
      { a: holding(6, 9) },
      /up to 6\.9\) that does not continue/,
    ],
    ['records there that do not follow', { ...OWN, forks: ['a'] }, { a: holding(5, 12) }, /up to 5\.12\)/],
  ])('given %s, refuses before a replica promises anything and names the remedy', (_, own, heard, reason) => {
    const decision = decide(own, heard);
    expect(decision).toEqual({ kind: 'refuse', reason: expect.stringMatching(reason) });
    expect(decision).toMatchObject({ reason: expect.stringContaining('npm run recover:from-replicas') });
  });

  it('given a longer dead tail of an older epoch there, ignores it', () => {
    const heard = { a: holding(4, 99), b: holding(5, 10), c: holding(5, 10) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 6 });
  });
});
