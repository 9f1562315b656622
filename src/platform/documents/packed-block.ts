import type { DocumentLines, StoredDocument } from './document-line.js';

/** Large enough that a store has few of them, small enough to be made within one turn of the event loop. */
export const BLOCK_BYTES = 256 * 1024;
export const LINE_SEPARATOR = ',\n';
export const NEWLINE = 0x0a;
export const QUOTE = 0x22;
const DIGIT_ZERO = 0x30;

export interface BlockIndex {
  /** Ascending. */
  readonly ids: Float64Array;
  /** Where each document's line ends. */
  readonly ends: Uint32Array;
}

/**
 * Some documents in id order as the bytes that stand in a snapshot, to be parsed one by one when asked for. Thousands
 * of documents are a few objects to the garbage collector. Never changed once made.
 */
export class PackedBlock {
  readonly firstId: number;
  readonly lastId: number;

  constructor(
    /** The lines of at least one document, with `LINE_SEPARATOR` between them. */
    readonly bytes: Buffer,
    /** The collection's counter as of which the lines show theirs. */
    readonly counter: number,
    /** When it is not given, it is made when it is needed. */
    private index?: BlockIndex,
  ) {
    this.firstId = idAt(bytes, 0);
    this.lastId = idAt(bytes, bytes.lastIndexOf(NEWLINE) + 1);
  }

  /** Ascending. */
  get ids(): Float64Array {
    return this.indexed().ids;
  }

  /** Offset of a document's line. */
  start(position: number): number {
    return position === 0 ? 0 : this.end(position - 1) + LINE_SEPARATOR.length;
  }

  end(position: number): number {
    return this.indexed().ends[position] ?? 0;
  }

  document(position: number, lines: DocumentLines): StoredDocument {
    return lines.parse(this.bytes.toString('utf8', this.start(position), this.end(position)), this.counter);
  }

  private indexed(): BlockIndex {
    return (this.index ??= indexOf(this.bytes));
  }
}

function indexOf(bytes: Buffer): BlockIndex {
  const ids: number[] = [];
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; start = (ends.at(-1) ?? 0) + LINE_SEPARATOR.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    ids.push(idAt(bytes, start));
    ends.push(newline === -1 ? bytes.length : newline + 1 - LINE_SEPARATOR.length);
  }
  return { ids: new Float64Array(ids), ends: new Uint32Array(ends) };
}

/** Of the line at `offset`. NaN when it does not begin as a document's line does. */
function idAt(bytes: Buffer, offset: number): number {
  if (bytes[offset] !== QUOTE) return NaN;
  let id = 0;
  for (let at = offset + 1; bytes[at] !== QUOTE; at += 1) id = id * 10 + ((bytes[at] ?? NaN) - DIGIT_ZERO);
  return id;
}

/** Position of the first of `count` ascending keys that is not below `key`; `count` when there is none. */
export function lowerBound(count: number, key: number, keyAt: (position: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyAt(middle) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
