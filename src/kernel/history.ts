import type { ChainPosition } from './log-position.js';

/** A record and its exact text, which every journal that holds the record stores unchanged. */
export interface EncodedRecord extends ChainPosition {
  readonly json: string;
}

/** Everything up to `position` in one file. A stream that comes over a network can be read only once. */
export interface SnapshotStream {
  /** The position of the last record that the snapshot covers. */
  readonly position: ChainPosition;
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * A snapshot file. Until it is closed, the file and the records after it stay readable. Each use starts at the beginning.
 */
export interface OpenSnapshot extends SnapshotStream {
  close(): Promise<void>;
}

/** The whole state as it was at `position`; later records do not change it. */
export interface CapturedState {
  readonly position: ChainPosition;
  /** The SHA-256 of the state in hex. The computation is long and yields to other work. */
  stateHash(): Promise<string>;
}

/** A history that can be copied: by its records, and by its snapshot where they are gone. It exposes only durable data. */
export interface CopyableHistory {
  /** The position of the last durable record. */
  readonly position: ChainPosition;
  /** Undefined until the first epoch of this history has started. */
  readonly clusterId: string | undefined;
  /** The oldest record that can be read one by one; earlier records are only in the snapshot. */
  readonly firstSeq: number;
  /** About `limitBytes` of records from `seq` on, at least one; none beyond the end. `gone`: only the snapshot has the first. */
  readFrom(seq: number, limitBytes: number): Promise<readonly EncodedRecord[] | 'gone'>;
  /** The position of the history at `seq`: `gone` when only the snapshot covers it, undefined beyond the end. */
  positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined>;
  /** The newest snapshot file; undefined when there is none or the history is closing. The caller closes it. */
  openSnapshot(): Promise<OpenSnapshot | undefined>;
  captureState(): CapturedState;
}
