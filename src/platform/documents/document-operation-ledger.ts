import type { OperationLedger, OperationRecord } from '../../kernel/index.js';
import type { DocumentWritten } from './document-op.js';
import type { DocumentReads } from './document-reads.js';
import type { RememberedOperation } from './operation-memory.js';

/** The operations on one collection that the documents remember, with answers made of their outcomes. */
export class DocumentOperationLedger<Answer> implements OperationLedger<Answer> {
  constructor(
    private readonly documents: Pick<DocumentReads, 'findOperation'>,
    private readonly collection: string,
    private readonly answerOf: (written: DocumentWritten) => Answer,
  ) {}

  findByScope(scope: string): OperationRecord<Answer> | undefined {
    return this.toRecord(this.documents.findOperation({ scope }));
  }

  findById(id: string): OperationRecord<Answer> | undefined {
    return this.toRecord(this.documents.findOperation({ id }));
  }

  private toRecord(operation: RememberedOperation | undefined): OperationRecord<Answer> | undefined {
    if (operation?.outcome.collection !== this.collection) return undefined;
    const { id, bodyHmac, at } = operation;
    return { id, bodyHmac, atMs: at, answer: this.answerOf(operation) };
  }
}
