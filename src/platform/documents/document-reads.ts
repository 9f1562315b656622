import type { HeldKeys } from '../../kernel/index.js';
import { type DocumentMachine, show } from './document-machine.js';
import type { DocumentId, DocumentView } from './document-op.js';
import type { RememberedOperation } from './operation-memory.js';

export interface DocumentPage {
  readonly documents: readonly DocumentView[];
  readonly hasMore: boolean;
  readonly total: number;
}

/** Reads that every copy of a history answers from memory; they show exactly its durable state. */
export abstract class DocumentReads {
  protected abstract get machine(): DocumentMachine;

  find(collection: string, id: DocumentId): DocumentView | undefined {
    const state = this.machine.collection(collection);
    const document = state.documents.get(id);
    return document && show(state.declaration, id, document, state.counter);
  }

  /** Returns documents in id order, starting after `after`. */
  page(collection: string, after: DocumentId, limit: number): DocumentPage {
    const state = this.machine.collection(collection);
    const ids = state.documents.page(after, limit + 1);
    const documents = ids.slice(0, limit).flatMap((id) => this.find(collection, id) ?? []);
    return { documents, hasMore: ids.length > limit, total: state.documents.size };
  }

  /** Higher than every number that was ever an id here. Text ids of at most 15 digits without a leading zero count as well. */
  nextId(collection: string): number {
    return this.machine.collection(collection).nextId;
  }

  /** Same as `OperationMemory.heldKeys`. */
  heldKeys(): Iterable<HeldKeys> {
    return this.machine.operations.heldKeys();
  }

  findOperation(by: { readonly id: string } | { readonly scope: string }): RememberedOperation | undefined {
    const { operations } = this.machine;
    return 'id' in by ? operations.findById(by.id) : operations.findByScope(by.scope);
  }
}
