import type { DocumentLines, StoredDocument } from './document-line.js';
import { lowerBound, type PackedBlock } from './packed-block.js';

/** Many documents in blocks, in id order: the sorted tables of LevelDB, in memory. Never changed once made. */
export class PackedDocuments {
  private readonly lastId: number;

  /** The blocks are in id order and do not overlap; `count` is the number of documents in all of them. */
  constructor(
    readonly blocks: readonly PackedBlock[],
    readonly count: number,
  ) {
    this.lastId = blocks.at(-1)?.lastId ?? -Infinity;
  }

  has(id: number): boolean {
    const block = this.blockOf(id);
    return block !== undefined && block.ids[positionIn(block, id)] === id;
  }

  find(id: number, lines: DocumentLines): StoredDocument | undefined {
    const block = this.blockOf(id);
    if (block === undefined) return undefined;
    const position = positionIn(block, id);
    return block.ids[position] === id ? block.document(position, lines) : undefined;
  }

  /** Ascending, those that are greater than `after`. */
  *idsAbove(after: number): Generator<number, void, undefined> {
    for (let place = this.placeOf(after); place < this.blocks.length; place += 1) {
      const block = this.blocks[place];
      if (block === undefined) return;
      for (let position = positionIn(block, after); position < block.ids.length; position += 1) {
        const id = block.ids[position] ?? Infinity;
        if (id > after) yield id;
      }
    }
  }

  /** The one block that can hold `id`. New ids are above all others, so that this is asked in vain most often. */
  private blockOf(id: number): PackedBlock | undefined {
    return id > this.lastId ? undefined : this.blocks[this.placeOf(id)];
  }

  private placeOf(id: number): number {
    return lowerBound(this.blocks.length, id, (place) => this.blocks[place]?.lastId ?? Infinity);
  }
}

function positionIn({ ids }: PackedBlock, id: number): number {
  return lowerBound(ids.length, id, (position) => ids[position] ?? Infinity);
}
