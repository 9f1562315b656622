import { type DocumentMachine, show } from './document-machine.js';
import type { ShownDocument } from './document-op.js';
import type { RememberedOperation } from './operation-memory.js';

export interface DocumentPage {
  readonly documents: readonly ShownDocument[];
  readonly hasMore: boolean;
  readonly total: number;
}

/** What every copy of a history answers, from memory: exactly what is durable there. */
export abstract class DocumentReads {
  protected abstract get machine(): DocumentMachine;

  find(collection: string, id: number): ShownDocument | undefined {
    const state = this.machine.collection(collection);
    const document = state.documents.get(id);
    return document && show(state.declaration, id, document, state.counter);
  }

  /** In id order, the ones behind `after`. */
  page(collection: string, after: number, limit: number): DocumentPage {
    const state = this.machine.collection(collection);
    const ids = state.documents.page(after, limit + 1);
    const documents = ids.slice(0, limit).flatMap((id) => this.find(collection, id) ?? []);
    return { documents, hasMore: ids.length > limit, total: state.documents.size };
  }

  /** The id that the next document would get; ids are never given twice, also not after a delete. */
  nextId(collection: string): number {
    return this.machine.collection(collection).nextId;
  }

  findOperation(by: { readonly id: string } | { readonly scope: string }): RememberedOperation | undefined {
    const { operations } = this.machine;
    return 'id' in by ? operations.findById(by.id) : operations.findByScope(by.scope);
  }
}
