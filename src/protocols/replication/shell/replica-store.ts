import type { ChainPosition, CopyableHistory, EncodedRecord } from '../../../kernel/index.js';
import { NO_PROMISE, type ReplicaPromise, type ReplicaState } from '../core/replica.js';

/**
 * What a replica holds. One method at a time, except `captureState` and `receiveSnapshot`. A rejection with
 * `storage-full` means that nothing was taken; after a failure of the disk the process is stopped.
 */
export interface ReplicaStore extends Pick<CopyableHistory, 'clusterId' | 'position' | 'firstSeq' | 'captureState'> {
  /** What was kept last; undefined before the first time. */
  readonly promise: ReplicaPromise | undefined;
  /** Durable when it resolves. */
  keepPromise(promise: ReplicaPromise): Promise<void>;
  /** `records` follow what it holds. Durable, and visible to readers, when it resolves. */
  follow(records: readonly EncodedRecord[]): Promise<void>;
  /** Keeps all data under another name and begins empty; the promise stays. Durable when it resolves. */
  quarantine(): Promise<unknown>;
  /**
   * Durable beside its data, which stays as it is, when it resolves, with the position that it is a snapshot of. Rejects
   * with `data-corrupt` when the bytes are not a whole snapshot.
   */
  receiveSnapshot(chunks: AsyncIterable<Buffer>): Promise<ChainPosition>;
  /** Puts what was received last in the place of its data. Durable and visible when it resolves. */
  install(): Promise<unknown>;
}

/** Only what is durable. */
export function stateOf({ promise, clusterId, position, firstSeq }: ReplicaStore): ReplicaState {
  return { ...(promise ?? NO_PROMISE), clusterId, position, firstSeq };
}
