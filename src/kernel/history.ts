import type { ChainPosition } from './log-position.js';

/** A record and the exact text that stands for it in every journal that holds it. */
export interface EncodedRecord extends ChainPosition {
  readonly json: string;
}

/** Everything up to `position` in one file. Where `chunks` come over a network, they can be read once. */
export interface SnapshotStream {
  /** Of the last record that it covers. */
  readonly position: ChainPosition;
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** A snapshot file that stays whole, and the records behind it readable, until it is closed. Each use begins anew. */
export interface OpenSnapshot extends SnapshotStream {
  close(): Promise<void>;
}

/** The whole state as it was at `position`; later records do not change it. */
export interface CapturedState {
  readonly position: ChainPosition;
  /** SHA-256 of the state in hex; a long computation that lets others in between. */
  stateHash(): Promise<string>;
}

/** A history as it can be copied: by its records, and by its snapshot where they are gone. Gives out only what is durable. */
export interface CopyableHistory {
  /** Of the last durable record. */
  readonly position: ChainPosition;
  /** Undefined until the first epoch of this history has started. */
  readonly clusterId: string | undefined;
  /** The oldest record that can be read one by one; the ones before are in the snapshot only. */
  readonly firstSeq: number;
  /**
   * The records from `seq` on, at least one and about `limitBytes`; none beyond the end. `gone`: the first of them is
   * only in the snapshot.
   */
  readFrom(seq: number, limitBytes: number): Promise<readonly EncodedRecord[] | 'gone'>;
  /** The position that the history had at `seq`; `gone` where only the snapshot could tell, undefined beyond the end. */
  positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined>;
  /** The newest snapshot file; undefined when there is none or the history is closing. The caller closes it. */
  openSnapshot(): Promise<OpenSnapshot | undefined>;
  /** The state of this moment. */
  captureState(): CapturedState;
}
