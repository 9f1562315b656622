import type { OperationLedger, OperationRecord } from '../../kernel/index.js';
import type { DocumentWritten } from './document-op.js';
import type { DocumentReads } from './document-reads.js';
import type { RememberedOperation } from './operation-memory.js';

/** Looks up remembered operations and builds answers from their outcomes. */
export class DocumentOperationLedger<Answer> implements OperationLedger<Answer> {
  /** `answers` is keyed by collection. */
  constructor(
    private readonly documents: Pick<DocumentReads, 'findOperation'>,
    private readonly answers: ReadonlyMap<string, (written: DocumentWritten) => Answer>,
  ) {}

  findByScope(scope: string): OperationRecord<Answer> | undefined {
    return this.toRecord(this.documents.findOperation({ scope }));
  }

  findById(id: string): OperationRecord<Answer> | undefined {
    return this.toRecord(this.documents.findOperation({ id }));
  }

  private toRecord(operation: RememberedOperation | undefined): OperationRecord<Answer> | undefined {
    const answerOf = operation && this.answers.get(operation.outcome.collection);
    if (!operation || !answerOf) return undefined;
    const { id, bodyHmac, at } = operation;
    return { id, bodyHmac, atMs: at, answer: answerOf(operation) };
  }
}
