import type { DocumentId, PreparedChange } from './document-op.js';

/** Maps each reserved id to the transaction that holds it until its decision. */
export class Reservations {
  private readonly holders = new Map<string, Map<DocumentId, string>>();

  reserve(transaction: string, changes: readonly PreparedChange[]): void {
    for (const change of changes) {
      if (change.type !== 'create') continue;
      const ofCollection = this.holders.get(change.collection) ?? new Map<DocumentId, string>();
      this.holders.set(change.collection, ofCollection.set(change.id, transaction));
    }
  }

  release(changes: readonly PreparedChange[]): void {
    for (const change of changes) {
      if (change.type === 'create') this.holders.get(change.collection)?.delete(change.id);
    }
  }

  holderOf(collection: string, id: DocumentId): string | undefined {
    return this.holders.get(collection)?.get(id);
  }

  clear(): void {
    this.holders.clear();
  }
}
