import type { DocumentId, PreparedChange } from './document-op.js';
import { Reservations } from './reservations.js';

interface QueuedPrepare {
  readonly changes: readonly PreparedChange[];
  readonly settled: Promise<unknown>;
}

export class QueuedPrepares {
  private readonly queued = new Map<string, QueuedPrepare>();
  private readonly reservations = new Reservations();

  queue(transaction: string, changes: readonly PreparedChange[], settled: Promise<unknown>): void {
    this.queued.set(transaction, { changes, settled });
    this.reservations.reserve(transaction, changes);
  }

  /** Settles when the prepare record has become durable or failed; undefined when none is queued. */
  settled(transaction: string): Promise<unknown> | undefined {
    return this.queued.get(transaction)?.settled;
  }

  holderOf(collection: string, id: DocumentId): string | undefined {
    return this.reservations.holderOf(collection, id);
  }

  applied(transaction: string): void {
    const prepare = this.queued.get(transaction);
    if (prepare === undefined) return;
    this.queued.delete(transaction);
    this.reservations.release(prepare.changes);
  }

  /** Everything queued has failed. */
  rollBack(): void {
    this.queued.clear();
    this.reservations.clear();
  }
}
