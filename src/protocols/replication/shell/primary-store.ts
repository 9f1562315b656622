import type { ChainPosition, CopyableHistory, EncodedRecord } from '../../../kernel/index.js';
import type { MissingEnd } from '../../../platform/journal/index.js';

/** A primary's own journal and snapshots: it ships from them and writes to them. */
export interface PrimaryStore {
  readonly history: CopyableHistory;
  /** Records that were durable here and are lost. `follow` may restore them. */
  readonly missing: MissingEnd | undefined;
  /** Calls `listener` once per durable batch, in order, after readers can see the batch. */
  onDurable(listener: (records: readonly EncodedRecord[]) => void): unknown;
  /** Appends a replica's records, durable when it resolves. Rejects with `conflict`, nothing written, when they do not follow. */
  follow(records: readonly EncodedRecord[]): Promise<void>;
  /** Begins the epoch with its first record, and a history if none exists (random id by default). Durable when it resolves. */
  startEpoch(start: {
    readonly epoch: number;
    readonly primaryId: string;
    readonly clusterId?: string;
  }): Promise<ChainPosition>;
}
