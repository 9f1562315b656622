import { describe, expect, it } from '@jest/globals';
import type { ReplicaReport } from '../messages.js';
import { chooseRecovery } from './recovery.js';

function holding(epoch: number, seq: number, parts: Partial<ReplicaReport> = {}): ReplicaReport {
  const position = { epoch, seq, hash: `${epoch}.${seq}` };
  const promise = { promisedEpoch: 9, promisedPrimaryId: 'recovery' };
  return { clusterId: 'shop', ...promise, position, firstSeq: 1, canVote: true, ...parts };
}

const MUTE = { canVote: false };

describe('the choice of a copy after the loss of the primary’s disk', () => {
  it('takes the newest epoch, then the farthest position, not the longest log', () => {
    const promised = { a: holding(4, 20), b: holding(5, 10), c: holding(5, 11), d: holding(5, 9) };
    expect(chooseRecovery(promised, 4, 2)).toEqual({
      kind: 'restore',
      replica: 'c',
      position: { epoch: 5, seq: 11, hash: '5.11' },
      clusterId: 'shop',
    });
  });

  it('given too few promises for a quorum, waits', () => {
    const promised = { a: holding(5, 10), b: holding(5, 10) };
    expect(chooseRecovery(promised, 4, 2)).toEqual({ kind: 'wait', promised: 2, needed: 3 });
  });

  it('does not count a replica that cannot vote, however much it holds', () => {
    const promised = { a: holding(5, 10), b: holding(5, 10), c: holding(6, 99, MUTE) };
    expect(chooseRecovery(promised, 4, 2)).toEqual({ kind: 'wait', promised: 2, needed: 3 });
  });

  it('given a quorum that can vote, takes the farthest copy, even of a replica that cannot', () => {
    const promised = { a: holding(5, 10), b: holding(5, 10), c: holding(5, 11, MUTE), d: holding(5, 9) };
    expect(chooseRecovery(promised, 4, 2)).toMatchObject({ kind: 'restore', replica: 'c' });
  });

  it.each([
    ['too few that can vote', { c: holding(5, 9, MUTE), d: holding(5, 9, MUTE) }, /^Only 2 of 4 replicas can vouch/],
    ['data of different clusters', { c: holding(5, 9, { clusterId: 'x' }), d: holding(5, 9) }, /different clusters/],
  ])('given promises of all and %s, refuses', (_, others, reason) => {
    const promised = { a: holding(5, 10), b: holding(5, 10), ...others };
    expect(chooseRecovery(promised, 4, 2)).toEqual({ kind: 'refuse', reason: expect.stringMatching(reason) });
  });
});
