import { DocumentLines, type StoredDocument } from './document-line.js';
import type { DocumentId, DocumentShape } from './document-op.js';
import type { IdKind } from './id-kind.js';
import { PackedDocuments } from './packed-documents.js';
import { SortedIds } from './sorted-ids.js';
import { TableSnapshot } from './table-snapshot.js';

/**
 * The documents of one collection: those of the last snapshot, packed, and what has changed since (the sorted tables and
 * the memtable of a log-structured merge tree, O'Neil 1996). So the number of objects on the heap, which is what garbage
 * collection costs, follows from the writes since the last snapshot and not from the number of documents.
 */
export class DocumentTable {
  private readonly lines: DocumentLines;
  private readonly kind: IdKind;
  private base: PackedDocuments;
  /** Undefined: deleted. Also kept when it is not in `base`, since it may be in a snapshot that is being written. */
  private changes = new Map<DocumentId, StoredDocument | undefined>();
  /** The documents that are not in `base`. */
  private added: SortedIds;
  private count = 0;

  constructor(shape: DocumentShape) {
    this.lines = new DocumentLines(shape);
    this.kind = this.lines.ids;
    this.base = new PackedDocuments([], 0, this.kind);
    this.added = new SortedIds(this.kind);
  }

  get size(): number {
    return this.count;
  }

  /** Documents are never changed in place. */
  get(id: DocumentId): StoredDocument | undefined {
    const changed = this.changes.get(id);
    if (changed !== undefined || this.changes.has(id)) return changed;
    return this.base.find(id);
  }

  has(id: DocumentId): boolean {
    return this.changes.has(id) ? this.changes.get(id) !== undefined : this.base.has(id);
  }

  set(id: DocumentId, document: StoredDocument): void {
    if (!this.has(id)) {
      this.count += 1;
      if (!this.base.has(id)) this.added.add(id);
    }
    this.changes.set(id, document);
  }

  /** Without effect when there is none. */
  delete(id: DocumentId): void {
    if (!this.has(id)) return;
    this.count -= 1;
    if (!this.base.has(id)) this.added.remove(id);
    this.changes.set(id, undefined);
  }

  /** At most `limit` ids greater than `after`, ascending. */
  page(after: DocumentId, limit: number): readonly DocumentId[] {
    const page: DocumentId[] = [];
    const added = this.added.page(after, limit);
    let next = 0;
    for (const id of this.base.idsAbove(after)) {
      for (let own = added[next]; own !== undefined && own < id; own = added[next]) {
        page.push(own);
        next += 1;
      }
      if (page.length >= limit) break;
      if (this.has(id)) page.push(id);
    }
    return [...page, ...added.slice(next)].slice(0, limit);
  }

  /**
   * What is here now, shown as of the collection's `counter`. Takes as long as there are changes since the last rebase,
   * however many documents there are.
   */
  capture(counter: number): TableSnapshot {
    const { base, count } = this;
    const added = this.added.page(this.kind.lowest, Infinity);
    return new TableSnapshot({ base, changes: new Map(this.changes), added, count }, this.lines, counter);
  }

  /**
   * Keeps as changes only those since `snapshot`, which was captured here after the last rebase: what an older one needs
   * to know is forgotten. Quick when all its blocks were taken already.
   */
  rebase(snapshot: TableSnapshot): void {
    if (!snapshot.isBasedOn(this.base)) throw new Error('the table was rebased since this snapshot was captured');
    const { changes } = this;
    this.base = snapshot.toPacked();
    this.changes = new Map();
    this.added = new SortedIds(this.kind);
    for (const [id, document] of changes) {
      if (snapshot.holds(id, document)) continue;
      const isInBase = this.base.has(id);
      if (document !== undefined && !isInBase) this.added.add(id);
      if (document !== undefined || isInBase) this.changes.set(id, document);
    }
  }

  /** Only on an empty table. */
  restore(snapshot: TableSnapshot): void {
    this.base = snapshot.toPacked();
    this.count = this.base.count;
  }
}
