import type { DocumentLines, StoredDocument } from './document-line.js';
import { lowerBound, type PackedBlock } from './packed-block.js';

/** Many documents in blocks, in id order: the sorted tables of LevelDB, in memory. Never changed once made. */
export class PackedDocuments {
  readonly count: number;

  /** The blocks are in id order and do not overlap. */
  constructor(readonly blocks: readonly PackedBlock[]) {
    this.count = blocks.reduce((sum, { ids }) => sum + ids.length, 0);
  }

  has(id: number): boolean {
    const block = this.blocks[this.blockOf(id)];
    return block !== undefined && block.ids[indexIn(block, id)] === id;
  }

  find(id: number, lines: DocumentLines): StoredDocument | undefined {
    const block = this.blocks[this.blockOf(id)];
    if (block === undefined) return undefined;
    const index = indexIn(block, id);
    return block.ids[index] === id ? block.document(index, lines) : undefined;
  }

  /** Ascending, those that are greater than `after`. */
  *idsAbove(after: number): Generator<number, void, undefined> {
    for (let place = this.blockOf(after); place < this.blocks.length; place += 1) {
      const ids = this.blocks[place]?.ids ?? [];
      for (let index = lowerBound(ids.length, after, (at) => ids[at] ?? Infinity); index < ids.length; index += 1) {
        const id = ids[index] ?? Infinity;
        if (id > after) yield id;
      }
    }
  }

  /** The one block that can hold `id`. */
  private blockOf(id: number): number {
    return lowerBound(this.blocks.length, id, (at) => this.blocks[at]?.lastId ?? Infinity);
  }
}

function indexIn({ ids }: PackedBlock, id: number): number {
  return lowerBound(ids.length, id, (at) => ids[at] ?? Infinity);
}
