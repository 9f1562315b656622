import type { Position, ShippedRecord } from '../messages.js';
import type { SnapshotStream } from './replica-link.js';

/** What a primary ships: its own journal and snapshots. Only what is durable here is ever given out. */
export interface PrimaryHistory {
  /** Of the last durable record. */
  readonly position: Position;
  /** Undefined while there is no record. */
  readonly clusterId: string | undefined;
  /** Of records that were durable here and are gone: which ones, and what a person can do. They may come back by `adopt`. */
  readonly missing: string | undefined;
  /** The oldest record that can be read one by one. */
  readonly firstSeq: number;
  /** Calls `listener` once per durable batch, in order, after it has become visible to readers. One listener. */
  onDurable(listener: (records: readonly ShippedRecord[]) => void): void;
  /** The records behind `seq`, at least one and about `mostBytes`; empty when there are none. */
  readAfter(seq: number, maxBytes: number): Promise<readonly ShippedRecord[] | 'gone'>;
  /** The position that the history had at `seq`. */
  positionAt(seq: number): Promise<Position | 'gone'>;
  /**
   * Undefined while none was taken: then all records can be read one by one. The records behind it stay readable until
   * it is closed.
   */
  snapshot(): Promise<(SnapshotStream & { close(): Promise<void> }) | undefined>;
  /**
   * Appends records that were fetched from a replica, before the epoch starts. Durable when it resolves. Rejects with
   * `conflict`, nothing written, when they do not follow.
   */
  adopt(records: readonly ShippedRecord[]): Promise<void>;
  /** Begins the epoch with its first record, and a new history when there is none. Durable when it resolves. */
  startEpoch(epoch: number, primaryId: string): Promise<Position>;
  /** SHA-256 of the whole state as it is at the moment of the call. */
  stateHash(): Promise<string>;
}
