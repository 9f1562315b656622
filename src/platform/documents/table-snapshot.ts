import { BlockBuilder } from './block-builder.js';
import type { DocumentLines, StoredDocument } from './document-line.js';
import type { DocumentId } from './document-op.js';
import { BLOCK_BYTES, type PackedBlock } from './packed-block.js';
import { PackedDocuments } from './packed-documents.js';

/** Smaller blocks are joined with their neighbours, so that blocks do not become ever more and ever smaller. */
const MIN_BLOCK_BYTES = BLOCK_BYTES / 2;

/** The differences from the packed documents; undefined marks a deletion. */
export type Changes = ReadonlyMap<DocumentId, StoredDocument | undefined>;

interface TableState {
  readonly base: PackedDocuments;
  readonly changes: Changes;
  /** The changed ids that are not in `base`, ascending. */
  readonly added: readonly DocumentId[];
  /** The number of documents. */
  readonly count: number;
}

/** All documents of a collection at one moment. Later changes do not affect it. */
export class TableSnapshot {
  private packed: PackedDocuments | undefined;

  /** The snapshot owns `state`; its documents are shown as of the collection's `counter`. */
  constructor(
    private readonly state: TableState,
    private readonly lines: DocumentLines,
    private readonly counter: number,
  ) {}

  /** All blocks must show `counter`. */
  static ofPacked(packed: PackedDocuments, lines: DocumentLines, counter: number): TableSnapshot {
    const state = { base: packed, changes: new Map(), added: [], count: packed.count };
    const snapshot = new TableSnapshot(state, lines, counter);
    snapshot.packed = packed;
    return snapshot;
  }

  get count(): number {
    return this.state.count;
  }

  isBasedOn(base: PackedDocuments): boolean {
    return this.state.base === base;
  }

  /** Whether `document` (undefined: its absence) was captured as a change. */
  holds(id: DocumentId, document: StoredDocument | undefined): boolean {
    const { changes } = this.state;
    return changes.get(id) === document && changes.has(id);
  }

  /** Yields every document once, in id order, as of this snapshot's counter. Callers let the event loop run between its steps. */
  *blocks(): Generator<PackedBlock, void, undefined> {
    if (this.packed) {
      yield* this.packed.blocks;
      return;
    }
    const blocks: PackedBlock[] = [];
    for (const block of this.pack()) {
      blocks.push(block);
      yield block;
    }
    this.packed = new PackedDocuments(blocks, this.count, this.lines.ids);
  }

  /** Packs everything at once; free when all of `blocks` were taken before. */
  toPacked(): PackedDocuments {
    return (this.packed ??= new PackedDocuments([...this.pack()], this.count, this.lines.ids));
  }

  private *pack(): Generator<PackedBlock, void, undefined> {
    const { base, changes, added } = this.state;
    const builder = new BlockBuilder(this.lines, this.counter);
    let next = 0;
    for (const block of base.blocks) {
      const isWorthKeeping = block.bytes.length >= MIN_BLOCK_BYTES;
      const leavesNoCrumb = builder.size === 0 || builder.size >= MIN_BLOCK_BYTES;
      if (isWorthKeeping && leavesNoCrumb && this.isUnchanged(block, added[next])) {
        if (builder.size > 0) yield builder.take();
        yield block;
        continue;
      }
      for (let index = 0; index < block.ids.length; index += 1) {
        const id = block.ids[index] ?? this.lines.ids.lowest;
        for (let own = added[next]; own !== undefined && own < id; own = added[next]) {
          yield* this.addChanged(builder, own);
          next += 1;
        }
        if (changes.has(id)) yield* this.addChanged(builder, id);
        else builder.copy(block, index);
        if (builder.size >= BLOCK_BYTES) yield builder.take();
      }
    }
    for (const own of added.slice(next)) yield* this.addChanged(builder, own);
    if (builder.size > 0) yield builder.take();
  }

  private *addChanged(builder: BlockBuilder, id: DocumentId): Generator<PackedBlock, void, undefined> {
    const document = this.state.changes.get(id);
    if (document === undefined) return;
    builder.add(id, document);
    if (builder.size >= BLOCK_BYTES) yield builder.take();
  }

  private isUnchanged(block: PackedBlock, nextAdded: DocumentId | undefined): boolean {
    const { changes } = this.state;
    if (this.lines.showCounter && block.counter !== this.counter) return false;
    if (nextAdded !== undefined && nextAdded < block.lastId) return false;
    if (changes.size === 0) return true;
    const { ids } = block;
    for (let position = 0; position < ids.length; position += 1) {
      if (changes.has(ids[position] ?? this.lines.ids.lowest)) return false;
    }
    return true;
  }
}
