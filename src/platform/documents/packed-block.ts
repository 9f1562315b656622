import type { DocumentLines, StoredDocument } from './document-line.js';
import type { DocumentId } from './document-op.js';
import type { IdKind } from './id-kind.js';

/** Large enough that a store has few blocks, small enough to build one within a turn of the event loop. */
export const BLOCK_BYTES = 256 * 1024;
export const LINE_SEPARATOR = ',\n';
export const NEWLINE = 0x0a;

export interface BlockIndex {
  /** Ascending. */
  readonly ids: ArrayLike<DocumentId>;
  readonly ends: Uint32Array;
}

/** Documents in id order as a snapshot's bytes, parsed on demand: few objects for the garbage collector. Immutable. */
export class PackedBlock {
  readonly firstId: DocumentId;
  readonly lastId: DocumentId;

  constructor(
    /** The lines of at least one document, with `LINE_SEPARATOR` between them. */
    readonly bytes: Buffer,
    /** The collection's counter that the lines show. */
    readonly counter: number,
    private readonly lines: DocumentLines,
    /** Built on demand when absent. */
    private index?: BlockIndex,
  ) {
    this.firstId = lines.ids.at(bytes, 0);
    this.lastId = lines.ids.at(bytes, bytes.lastIndexOf(NEWLINE) + 1);
  }

  get ids(): ArrayLike<DocumentId> {
    return this.indexed().ids;
  }

  start(position: number): number {
    return position === 0 ? 0 : this.end(position - 1) + LINE_SEPARATOR.length;
  }

  end(position: number): number {
    return this.indexed().ends[position] ?? 0;
  }

  document(position: number): StoredDocument {
    return this.lines.parse(this.bytes.toString('utf8', this.start(position), this.end(position)), this.counter);
  }

  private indexed(): BlockIndex {
    return (this.index ??= indexOf(this.bytes, this.lines.ids));
  }
}

function indexOf(bytes: Buffer, kind: IdKind): BlockIndex {
  const ids: DocumentId[] = [];
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; start = (ends.at(-1) ?? 0) + LINE_SEPARATOR.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    ids.push(kind.at(bytes, start));
    ends.push(newline === -1 ? bytes.length : newline + 1 - LINE_SEPARATOR.length);
  }
  return { ids: kind.pack(ids), ends: new Uint32Array(ends) };
}
