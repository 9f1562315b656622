import type { StoredDocument } from './document-line.js';
import type { CollectionState } from './document-machine.js';
import type { DocumentId } from './document-op.js';

interface PendingDocument {
  /** Undefined marks a deletion. */
  document: StoredDocument | undefined;
  writes: number;
  settled: Promise<unknown>;
}

/**
 * The state of one collection once everything queued is durable. New writes are judged against it, so that two writes waiting for
 * the same fsync cannot both succeed; readers never see it.
 */
export class PendingWrites {
  private readonly documents = new Map<DocumentId, PendingDocument>();
  private pendingNextId = 0;

  constructor(private readonly applied: CollectionState) {}

  find(id: DocumentId): StoredDocument | undefined {
    const pending = this.documents.get(id);
    return pending ? pending.document : this.applied.documents.get(id);
  }

  /** Settles when the last queued write on `id` has become durable or failed; undefined when none is queued. */
  settled(id: DocumentId): Promise<unknown> | undefined {
    return this.documents.get(id)?.settled;
  }

  allotId(): number {
    const id = Math.max(this.pendingNextId, this.applied.nextId);
    this.pendingNextId = id + 1;
    return id;
  }

  /** Ensures that this id is not assigned again. */
  use(id: DocumentId): void {
    this.pendingNextId = Math.max(this.pendingNextId, this.applied.ids.numberOf(id) + 1);
  }

  queue(id: DocumentId, document: StoredDocument | undefined, settled: Promise<unknown>): void {
    const writes = (this.documents.get(id)?.writes ?? 0) + 1;
    this.documents.set(id, { document, writes, settled });
  }

  /** One queued write on `id` has been applied. */
  applyOne(id: DocumentId): void {
    const pending = this.documents.get(id);
    if (pending === undefined) return;
    pending.writes -= 1;
    if (pending.writes === 0) this.documents.delete(id);
  }

  /** Everything queued has failed. */
  rollBack(): void {
    this.documents.clear();
    this.pendingNextId = 0;
  }
}
