import type { HeldKeys } from '../../kernel/index.js';
import { type DocumentMachine, show } from './document-machine.js';
import type { DocumentId, DocumentView } from './document-op.js';
import type { RememberedOperation } from './operation-memory.js';

export interface DocumentPage {
  readonly documents: readonly DocumentView[];
  readonly hasMore: boolean;
  readonly total: number;
}

/** What every copy of a history answers, from memory: exactly what is durable there. */
export abstract class DocumentReads {
  protected abstract get machine(): DocumentMachine;

  find(collection: string, id: DocumentId): DocumentView | undefined {
    const state = this.machine.collection(collection);
    const document = state.documents.get(id);
    return document && show(state.declaration, id, document, state.counter);
  }

  /** In id order, the ones behind `after`. */
  page(collection: string, after: DocumentId, limit: number): DocumentPage {
    const state = this.machine.collection(collection);
    const ids = state.documents.page(after, limit + 1);
    const documents = ids.slice(0, limit).flatMap((id) => this.find(collection, id) ?? []);
    return { documents, hasMore: ids.length > limit, total: state.documents.size };
  }

  /**
   * Above every number that was ever the id of a document here, also of one that is gone. Where ids are text, those that
   * look like numbers count: without a leading zero, of at most 15 digits.
   */
  nextId(collection: string): number {
    return this.machine.collection(collection).nextId;
  }

  /** As `OperationMemory.heldKeys`. */
  heldKeys(): Iterable<HeldKeys> {
    return this.machine.operations.heldKeys();
  }

  findOperation(by: { readonly id: string } | { readonly scope: string }): RememberedOperation | undefined {
    const { operations } = this.machine;
    return 'id' in by ? operations.findById(by.id) : operations.findByScope(by.scope);
  }
}
