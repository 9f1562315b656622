import type { StoredDocument } from './document-line.js';
import type { DocumentId } from './document-op.js';
import type { IdKind } from './id-kind.js';
import type { PackedBlock } from './packed-block.js';

/** Many documents in blocks, in id order, like the sorted tables of LevelDB but in memory. Immutable. */
export class PackedDocuments {
  private readonly lastIds: ArrayLike<DocumentId>;
  private readonly lastId: DocumentId;

  /** The blocks are in id order and do not overlap; `count` is their total number of documents. */
  constructor(
    readonly blocks: readonly PackedBlock[],
    readonly count: number,
    private readonly kind: IdKind,
  ) {
    this.lastIds = kind.pack(blocks.map((block) => block.lastId));
    this.lastId = blocks.at(-1)?.lastId ?? kind.lowest;
  }

  has(id: DocumentId): boolean {
    const block = this.blockOf(id);
    return block !== undefined && block.ids[this.kind.lowerBound(block.ids, id)] === id;
  }

  find(id: DocumentId): StoredDocument | undefined {
    const block = this.blockOf(id);
    if (block === undefined) return undefined;
    const position = this.kind.lowerBound(block.ids, id);
    return block.ids[position] === id ? block.document(position) : undefined;
  }

  /** Returns the ids greater than `after`, ascending. */
  *idsAbove(after: DocumentId): Generator<DocumentId, void, undefined> {
    for (let block = this.kind.lowerBound(this.lastIds, after); block < this.blocks.length; block += 1) {
      const ids = this.blocks[block]?.ids ?? [];
      for (let position = this.kind.lowerBound(ids, after); position < ids.length; position += 1) {
        const id = ids[position];
        if (id !== undefined && id > after) yield id;
      }
    }
  }

  /** The only block that can hold `id`. Most calls ask for new ids, which are above all others, and find none. */
  private blockOf(id: DocumentId): PackedBlock | undefined {
    return id > this.lastId ? undefined : this.blocks[this.kind.lowerBound(this.lastIds, id)];
  }
}
