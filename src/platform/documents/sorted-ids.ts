import type { DocumentId } from './document-op.js';
import type { IdKind } from './id-kind.js';

/** Ids in ascending order. Adding at the end, where new numbers go, is O(1). */
export class SortedIds {
  private readonly ids: DocumentId[] = [];

  constructor(private readonly kind: IdKind) {}

  get size(): number {
    return this.ids.length;
  }

  /** `id` must not be contained. */
  add(id: DocumentId): void {
    const last = this.ids.at(-1);
    if (last === undefined || last < id) this.ids.push(id);
    else this.ids.splice(this.kind.lowerBound(this.ids, id), 0, id);
  }

  /** `id` must be contained. */
  remove(id: DocumentId): void {
    this.ids.splice(this.kind.lowerBound(this.ids, id), 1);
  }

  page(after: DocumentId, limit: number): readonly DocumentId[] {
    const found = this.kind.lowerBound(this.ids, after);
    const start = this.ids[found] === after ? found + 1 : found;
    return this.ids.slice(start, start + limit);
  }
}
