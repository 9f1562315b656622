import type { DocumentMachine } from '../../../src/platform/documents/document-machine.js';
import type { DocumentOp, PreparedChange } from '../../../src/platform/documents/index.js';

type Key = string;

const keyOf = (collection: string, id: unknown): Key => `${collection}/${String(id)}`;

/**
 * The state that the records of the documents should give, computed in another way than in the state machine: a document
 * shows how many transactions were committed after the record that created it.
 */
export class DocumentModel {
  /** The documents, with the count of their collection's committed transactions at their creation. */
  private readonly madeAt = new Map<Key, number>();
  private readonly raised = new Map<string, number>();
  private readonly open = new Map<string, readonly PreparedChange[]>();
  private readonly reserved = new Map<Key, string>();

  raisedOf(collection: string): number {
    return this.raised.get(collection) ?? 0;
  }

  sizeOf(collection: string): number {
    return [...this.madeAt.keys()].filter((key) => key.startsWith(`${collection}/`)).length;
  }

  /** Describes a wrong record; undefined for a right one. */
  take(op: DocumentOp): string | undefined {
    switch (op.type) {
      case 'prepare':
        return this.prepare(op.transaction, op.changes);
      case 'commit':
        return this.decide(op.transaction, true);
      case 'abort':
        return this.decide(op.transaction, false);
      case 'put':
        return this.write(op.collection, op.id, undefined);
      case 'delete': {
        const problem = this.write(op.collection, op.id, undefined);
        this.madeAt.delete(keyOf(op.collection, op.id));
        return problem;
      }
      case 'epoch-started':
        return undefined;
    }
  }

  /** Describes a wrong state of the machine; undefined for a right one. */
  compare(machine: DocumentMachine, collections: readonly string[]): string | undefined {
    for (const name of collections) {
      const { documents, counter, declaration } = machine.collection(name);
      if (documents.size !== this.sizeOf(name)) return `${documents.size} ${name} instead of ${this.sizeOf(name)}`;
      for (const [key, madeAt] of this.madeAt) {
        const [collection, id] = key.split('/');
        if (collection !== name) continue;
        const document = documents.get(declaration.ids === 'text' ? id! : Number(id));
        if (!document) return `${key} is missing`;
        if (declaration.counterField === undefined) continue;
        const shown = document.counterBase + counter;
        const expected = this.raisedOf(name) - madeAt;
        if (shown !== expected) return `${key} shows ${shown} instead of ${expected}`;
      }
    }
    return undefined;
  }

  private prepare(transaction: string, changes: readonly PreparedChange[]): string | undefined {
    if (this.open.has(transaction)) return `${transaction} is prepared twice`;
    this.open.set(transaction, changes);
    for (const change of changes) {
      if (change.type !== 'create') continue;
      const key = keyOf(change.collection, change.id);
      const holder = this.reserved.get(key);
      if (holder !== undefined) return `${transaction} reserves ${key}, which ${holder} has reserved`;
      if (this.madeAt.has(key)) return `${transaction} promises to create ${key}, which exists`;
      this.reserved.set(key, transaction);
    }
    return undefined;
  }

  private decide(transaction: string, isCommit: boolean): string | undefined {
    const changes = this.open.get(transaction);
    if (!changes) return undefined;
    this.open.delete(transaction);
    for (const change of changes) {
      if (change.type === 'create') {
        this.reserved.delete(keyOf(change.collection, change.id));
        if (isCommit) this.write(change.collection, change.id, transaction);
      } else if (isCommit) {
        this.raised.set(change.collection, this.raisedOf(change.collection) + 1);
      }
    }
    return undefined;
  }

  private write(collection: string, id: unknown, by: string | undefined): string | undefined {
    const key = keyOf(collection, id);
    const holder = this.reserved.get(key);
    if (!this.madeAt.has(key)) this.madeAt.set(key, this.raisedOf(collection));
    return holder !== undefined && holder !== by ? `${key} is written although ${holder} has reserved it` : undefined;
  }
}
