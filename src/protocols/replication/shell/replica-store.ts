import type { ChainPosition, CopyableHistory, EncodedRecord } from '../../../kernel/index.js';
import { NO_PROMISE, type ReplicaPromise, type ReplicaState } from '../core/replica.js';

/**
 * The durable data of a replica. Callers run one method at a time, except `captureState` and `receiveSnapshot`. A rejection with
 * `storage-full` means that nothing was stored; a failure of the disk stops the process.
 */
export interface ReplicaStore extends Pick<CopyableHistory, 'clusterId' | 'position' | 'firstSeq' | 'captureState'> {
  /** The last promise kept; undefined before the first. */
  readonly promise: ReplicaPromise | undefined;
  /** Durable when it resolves. */
  keepPromise(promise: ReplicaPromise): Promise<void>;
  /** `records` continue the history here. Durable and visible to readers when it resolves. */
  follow(records: readonly EncodedRecord[]): Promise<void>;
  /** Renames all data and begins empty; the promise remains. Durable when it resolves. */
  quarantine(): Promise<unknown>;
  /**
   * Stores a snapshot beside the data, which does not change. Resolves with the snapshot's position when it is durable. Rejects
   * with `data-corrupt` when the bytes are not a whole snapshot.
   */
  receiveSnapshot(chunks: AsyncIterable<Buffer>): Promise<ChainPosition>;
  /** Replaces the data with the snapshot received last. Durable and visible when it resolves. */
  install(): Promise<unknown>;
}

export function stateOf({ promise, clusterId, position, firstSeq }: ReplicaStore): ReplicaState {
  return { ...(promise ?? NO_PROMISE), clusterId, position, firstSeq };
}
