import type { Position } from '../../../platform/journal/index.js';
import type { ReplicaPromise, ReplicaState } from '../core/replica.js';
import type { ShippedRecord } from '../messages.js';

/** The whole state as it was at `position`, taken without stopping what follows. */
export interface CapturedState {
  readonly position: Position;
  /** SHA-256 of the state in hex; a long computation that lets others in between. */
  stateHash(): Promise<string>;
}

/**
 * What a replica holds. One method at a time, except `state` and `receiveSnapshot`. A rejection with `storage-full`
 * means that nothing was taken; after a failure of the disk the process is stopped.
 */
export interface ReplicaStore {
  /** Only what is durable. */
  state(): ReplicaState;
  /** Durable when it resolves. */
  keepPromise(promise: ReplicaPromise): Promise<void>;
  /** `records` follow what it holds. Durable, and visible to readers, when it resolves. */
  follow(records: readonly ShippedRecord[]): Promise<void>;
  /** All data is kept under another name, and it is empty; the promise stays. Durable when it resolves. */
  quarantine(): Promise<void>;
  /**
   * Durable beside its data, which stays as it is, when it resolves. Rejects with `data-corrupt` when the bytes are not
   * the whole snapshot of this position.
   */
  receiveSnapshot(position: Position, chunks: AsyncIterable<Buffer>): Promise<void>;
  /** What was received for `position` takes the place of its data. Durable and visible when it resolves. */
  install(position: Position): Promise<void>;
  /** At once, as after the last record. */
  captureState(): CapturedState;
}
