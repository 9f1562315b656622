import type { ChainPosition, CopyableHistory, EncodedRecord } from '../../../kernel/index.js';
import type { MissingEnd } from '../../../platform/journal/index.js';

/** What a primary ships, and where it writes: its own journal and snapshots. */
export interface PrimaryStore {
  readonly history: CopyableHistory;
  /** Records that were durable here and are gone. They may come back by `follow`. */
  readonly missing: MissingEnd | undefined;
  /** Calls `listener` once per durable batch, in order, after it has become visible to readers. */
  onDurable(listener: (records: readonly EncodedRecord[]) => void): unknown;
  /**
   * Appends records that were fetched from a replica, before the epoch starts. Durable when it resolves. Rejects with
   * `conflict`, nothing written, when they do not follow.
   */
  follow(records: readonly EncodedRecord[]): Promise<void>;
  /**
   * Begins the epoch with its first record, and a new history when there is none: of the cluster `clusterId`, or of a
   * random one. Durable when it resolves.
   */
  startEpoch(start: {
    readonly epoch: number;
    readonly primaryId: string;
    readonly clusterId?: string;
  }): Promise<ChainPosition>;
}
