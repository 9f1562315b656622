import { ByteBatch } from './byte-batch.js';
import { counterOffset, type DocumentLines, type StoredDocument } from './document-line.js';
import type { DocumentId } from './document-op.js';
import { BLOCK_BYTES, LINE_SEPARATOR, PackedBlock } from './packed-block.js';

/** Builds blocks from documents that are added in id order. All lines show the counter as of `counter`. */
export class BlockBuilder {
  private readonly bytes = new ByteBatch(2 * BLOCK_BYTES);
  private ids: DocumentId[] = [];
  private ends: number[] = [];

  constructor(
    private readonly lines: DocumentLines,
    private readonly counter: number,
  ) {}

  get size(): number {
    return this.bytes.size;
  }

  add(id: DocumentId, document: StoredDocument): void {
    this.begin();
    this.bytes.addText(this.lines.format(id, document, this.counter));
    this.end(id);
  }

  /** Copies the document's line from `block` and adjusts only the shown counter. */
  copy(block: PackedBlock, position: number): void {
    const start = block.start(position);
    const end = block.end(position);
    this.begin();
    if (block.counter === this.counter || !this.lines.showCounter) {
      this.bytes.addBytes(block.bytes, start, end);
    } else {
      const digits = counterOffset(block.bytes, end);
      const shown = Number(block.bytes.toString('latin1', digits, end - 1)) + this.counter - block.counter;
      this.bytes.addBytes(block.bytes, start, digits);
      this.bytes.addText(`${String(shown)}}`);
    }
    this.end(block.ids[position] ?? this.lines.ids.lowest);
  }

  /** Returns the added documents as one block and starts the next. */
  take(): PackedBlock {
    const bytes = Buffer.from(this.bytes.take());
    const index = { ids: this.lines.ids.pack(this.ids), ends: new Uint32Array(this.ends) };
    this.ids = [];
    this.ends = [];
    return new PackedBlock(bytes, this.counter, this.lines, index);
  }

  private begin(): void {
    if (this.size > 0) this.bytes.addText(LINE_SEPARATOR);
  }

  private end(id: DocumentId): void {
    this.ids.push(id);
    this.ends.push(this.size);
  }
}
