import type { Answer, OperationLedger, OperationRecord } from '../../kernel/index.js';
import type { DocumentOutcome } from './document-op.js';
import type { DocumentReads } from './document-reads.js';
import type { RememberedOperation } from './operation-memory.js';

/** The operations on one collection that the documents remember, with their outcomes told as answers. */
export class DocumentOperationLedger implements OperationLedger {
  /** `commit`: place of the write in the history, `<epoch>.<seq>`. */
  constructor(
    private readonly documents: Pick<DocumentReads, 'findOperation'>,
    private readonly collection: string,
    private readonly answerOf: (outcome: DocumentOutcome, commit: string) => Answer,
  ) {}

  findByScope(scope: string): OperationRecord | undefined {
    return this.toRecord(this.documents.findOperation({ scope }));
  }

  findById(id: string): OperationRecord | undefined {
    return this.toRecord(this.documents.findOperation({ id }));
  }

  private toRecord(operation: RememberedOperation | undefined): OperationRecord | undefined {
    if (operation?.outcome.collection !== this.collection) return undefined;
    const { id, bodyHmac, at, outcome, commit } = operation;
    return { id, bodyHmac, atMs: at, answer: this.answerOf(outcome, commit) };
  }
}
