import { DocumentLines, type StoredDocument } from './document-line.js';
import type { DocumentId, DocumentShape } from './document-op.js';
import type { IdKind } from './id-kind.js';
import { PackedDocuments } from './packed-documents.js';
import { SortedIds } from './sorted-ids.js';
import { TableSnapshot } from './table-snapshot.js';

/**
 * The documents of one collection: the last snapshot, packed, and the changes since (the sorted tables and the memtable of a
 * log-structured merge tree, O'Neil 1996). So the number of heap objects, which drives the cost of garbage collection, depends on
 * the writes since the last snapshot, not on the number of documents.
 */
export class DocumentTable {
  private readonly lines: DocumentLines;
  private readonly kind: IdKind;
  private base: PackedDocuments;
  /** Undefined marks a deletion, kept even for ids outside `base` because a snapshot in progress may contain them. */
  private changes = new Map<DocumentId, StoredDocument | undefined>();
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

  /** The document is never changed in place. */
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

  /** No effect when there is no such document. */
  delete(id: DocumentId): void {
    if (!this.has(id)) return;
    this.count -= 1;
    if (!this.base.has(id)) this.added.remove(id);
    this.changes.set(id, undefined);
  }

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

  /** Returns the state shown as of `counter`. The cost depends only on the number of changes since the last rebase. */
  capture(counter: number): TableSnapshot {
    const { base, count } = this;
    const added = this.added.page(this.kind.lowest, Infinity);
    return new TableSnapshot({ base, changes: new Map(this.changes), added, count }, this.lines, counter);
  }

  /** Keeps only the changes since `snapshot`, captured here after the last rebase. Fast if all its blocks were taken before. */
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

  /** The table must be empty. */
  restore(snapshot: TableSnapshot): void {
    this.base = snapshot.toPacked();
    this.count = this.base.count;
  }
}
