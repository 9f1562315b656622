import { GENESIS, type ChainPosition, type EncodedRecord } from '../../src/kernel/index.js';
import { encodeRecord } from '../../src/platform/journal/index.js';
import type { PrimaryIdentity, ReplicaReport } from '../../src/protocols/replication/index.js';

export const GENESIS_POSITION: ChainPosition = GENESIS;

export function primaryOf(epoch = 1, primaryId = `primary-${String(epoch)}`, clusterId = 'cluster-a'): PrimaryIdentity {
  return { clusterId, epoch, primaryId };
}

/** Records that follow `after`, in the epoch of `from`, one per op. */
export function recordsAfter(
  after: ChainPosition,
  epoch: number,
  ops: readonly unknown[],
  at = 1_000,
): EncodedRecord[] {
  let previous = after;
  return ops.map((op, index) => {
    const [record, json] = encodeRecord(previous, epoch, at + index, op);
    previous = { epoch: record.epoch, seq: record.seq, hash: record.hash };
    return { ...previous, json };
  });
}

export function positionOf({ epoch, seq, hash }: ChainPosition): ChainPosition {
  return { epoch, seq, hash };
}

export const EMPTY_REPORT: ReplicaReport = {
  clusterId: undefined,
  promisedEpoch: 0,
  promisedPrimaryId: undefined,
  position: GENESIS_POSITION,
  firstSeq: 1,
  canVote: false,
};
