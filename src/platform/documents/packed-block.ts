import type { DocumentLines, StoredDocument } from './document-line.js';

/** Large enough that a store has few of them, small enough to be made within one turn of the event loop. */
export const BLOCK_BYTES = 256 * 1024;
export const LINE_SEPARATOR = ',\n';

/**
 * Some documents in id order as the bytes that stand in a snapshot, to be parsed one by one when asked for. Thousands
 * of documents are four objects to the garbage collector. Never changed once made.
 */
export class PackedBlock {
  constructor(
    /** The documents' lines with `LINE_SEPARATOR` between them. */
    readonly bytes: Buffer,
    /** In ascending order, at least one. */
    readonly ids: Float64Array,
    /** Where each document's line ends in `bytes`. */
    private readonly ends: Uint32Array,
    /** The collection's counter as of which the lines show theirs. */
    readonly counter: number,
  ) {}

  get firstId(): number {
    return this.ids[0] ?? Infinity;
  }

  get lastId(): number {
    return this.ids[this.ids.length - 1] ?? -Infinity;
  }

  start(index: number): number {
    return index === 0 ? 0 : this.end(index - 1) + LINE_SEPARATOR.length;
  }

  end(index: number): number {
    return this.ends[index] ?? 0;
  }

  document(index: number, lines: DocumentLines): StoredDocument {
    return lines.parse(this.bytes.toString('utf8', this.start(index), this.end(index)), this.counter);
  }
}

/** Index of the first of `count` ascending keys that is not below `key`; `count` when there is none. */
export function lowerBound(count: number, key: number, keyAt: (index: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
