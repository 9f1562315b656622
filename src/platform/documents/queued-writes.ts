import type { CollectionState } from './document-machine.js';
import type { DocumentOp } from './document-op.js';
import { PendingWrites } from './pending-writes.js';
import { QueuedPrepares } from './queued-prepares.js';

/** The writes of all collections that are queued and not durable yet. */
export class QueuedWrites {
  readonly prepares = new QueuedPrepares();
  private readonly pending = new Map<string, PendingWrites>();

  admit(collection: string, state: CollectionState): void {
    this.pending.set(collection, new PendingWrites(state));
  }

  of(collection: string): PendingWrites {
    const found = this.pending.get(collection);
    if (!found) throw new Error(`there is no collection ${collection}`);
    return found;
  }

  /** The record is durable and applied. */
  applied(op: DocumentOp): void {
    if (op.type === 'put' || op.type === 'delete') this.of(op.collection).applyOne(op.id);
    if (op.type === 'prepare') this.prepares.applied(op.transaction);
  }

  /** Everything queued has failed. */
  rollBack(): void {
    this.prepares.rollBack();
    this.pending.forEach((writes) => {
      writes.rollBack();
    });
  }
}
