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

describe('the opening of a primary', () => {
  it('without replicas, opens the next epoch', () => {
    expect(decideHandshake(OWN, {}, 0, 0)).toEqual({ kind: 'open', epoch: 6 });
    expect(decideHandshake(NEW, {}, 0, 0)).toEqual({ kind: 'open', epoch: 1 });
  });

  it('before a quorum is heard, waits', () => {
    expect(decide(OWN, { a: holding(5, 10), b: holding(5, 10) })).toEqual({ kind: 'wait', heard: 2, needed: 3 });
  });

  it('with a quorum that holds no more than it, asks for promises of an epoch above all it heard of', () => {
    const heard = { a: holding(5, 10), b: holding(5, 9), c: holding(5, 10, { promisedEpoch: 8 }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 9 });
  });

  it('with the promises of a quorum, opens that epoch', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 9, mine(6)), c: holding(5, 10, mine(6)) };
    expect(decide(OWN, heard)).toEqual({ kind: 'open', epoch: 6 });
  });

  it('with too few promises, asks again for the same epoch', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 10), c: holding(5, 10), d: holding(5, 10, mine(6)) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 6 });
  });

  it('when another was promised the same or a newer epoch meanwhile, asks for one above', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 10, mine(6)), c: holding(5, 10, { promisedEpoch: 7 }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 8 });
  });

  it('when a part of the quorum promised its epoch to another, asks for one above', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 10, mine(6)), c: holding(5, 10, { promisedEpoch: 6 }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 7 });
  });

  it('when a promise comes with records that it has not, pulls them before it opens', () => {
    const heard = { a: holding(5, 10, mine(6)), b: holding(5, 11, mine(6)), c: holding(5, 10, mine(6)) };
    expect(decide(OWN, heard)).toEqual({ kind: 'pull', replica: 'b' });
  });

  it('on a new cluster, opens the first epoch with a quorum of empty replicas', () => {
    const heard = { a: EMPTY, b: EMPTY, c: EMPTY };
    expect(decide(NEW, heard)).toEqual({ kind: 'ask-promises', epoch: 1 });
    const promised = { ...EMPTY, ...mine(1) };
    expect(decide(NEW, { a: promised, b: promised, c: promised })).toEqual({ kind: 'open', epoch: 1 });
  });

  it('with data here and replicas that cannot vouch, waits until every one is heard', () => {
    const heard = { a: holding(5, 10), b: EMPTY, c: holding(5, 4, { canVote: false }) };
    expect(decide(OWN, heard)).toEqual({ kind: 'wait', heard: 3, needed: 4 });
    expect(decide(OWN, { ...heard, d: EMPTY })).toEqual({ kind: 'ask-promises', epoch: 6 });
  });

  describe('that lost the end of its own history', () => {
    const missing = 'the journal ends with 5.10 and went on to 5.12';
    const CUT: OwnHistory = { ...OWN, missing };

    it('with a replica that has more, pulls from it, also when nothing at all is left here', () => {
      const heard = { a: holding(5, 10), b: holding(5, 11), c: holding(5, 10) };
      expect(decide(CUT, heard)).toEqual({ kind: 'pull', replica: 'b' });
      expect(decide({ ...NEW, missing }, heard)).toEqual({ kind: 'pull', replica: 'b' });
    });

    it('with a quorum that has no more, waits for the others, asks for no promise and says what is missing', () => {
      const heard = { a: holding(5, 10), b: holding(5, 10), c: holding(5, 9) };
      expect(decide(CUT, heard)).toEqual({ kind: 'wait-for-all', missing });
    });

    it('with all replicas heard, of which none has more, refuses and says what is missing', () => {
      const heard = { a: holding(5, 10), b: holding(5, 10), c: holding(5, 9), d: EMPTY };
      expect(decide(CUT, heard)).toMatchObject({ kind: 'refuse', reason: expect.stringContaining(missing) });
      const empty = { a: EMPTY, b: EMPTY, c: EMPTY, d: EMPTY };
      expect(decide({ ...NEW, missing }, empty)).toMatchObject({ kind: 'refuse' });
    });

    it('with replicas that hold what does not follow, refuses', () => {
      const heard = { a: holding(6, 10), b: holding(5, 10), c: holding(5, 10) };
      expect(decide(CUT, heard)).toMatchObject({ kind: 'refuse' });
      expect(decide({ ...CUT, forks: ['b'] }, { ...heard, a: holding(5, 10), b: holding(5, 12) })).toMatchObject({
        kind: 'refuse',
      });
    });
  });

  it.each<[string, OwnHistory, Heard, RegExp]>([
    [
      'without data here and with some there',
      NEW,
      { a: holding(5, 10) },
      /^This data directory is empty, but replica a/,
    ],
    ['with the data of another cluster there', OWN, { a: holding(1, 1, { clusterId: 'x' }) }, /another cluster \(x;/],
    [
      'with a newer epoch there at a number taken here',
      OWN,
      { a: holding(6, 9) },
      /up to 6\.9\) that does not continue/,
    ],
    ['with more there that does not follow', { ...OWN, forks: ['a'] }, { a: holding(5, 12) }, /up to 5\.12\)/],
  ])('%s, refuses before anything is promised and names the remedy', (_, own, heard, reason) => {
    const decision = decide(own, heard);
    expect(decision).toEqual({ kind: 'refuse', reason: expect.stringMatching(reason) });
    expect(decision).toMatchObject({ reason: expect.stringContaining('npm run recover:from-replicas') });
  });

  it('with a longer dead tail of an older epoch there, does not mind it', () => {
    const heard = { a: holding(4, 99), b: holding(5, 10), c: holding(5, 10) };
    expect(decide(OWN, heard)).toEqual({ kind: 'ask-promises', epoch: 6 });
  });
});
