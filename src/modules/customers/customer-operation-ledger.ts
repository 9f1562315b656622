import { Injectable } from '@nestjs/common';
import type { OperationLedger, OperationRecord } from '../../kernel/index.js';
import { DocumentStore, type RememberedOperation } from '../../platform/documents/index.js';
import { answerOf } from './customer.service.js';

/** The operations that the document store remembers, with their outcomes told as answers. */
@Injectable()
export class CustomerOperationLedger implements OperationLedger {
  constructor(private readonly documents: DocumentStore) {}

  findByScope(scope: string): OperationRecord | undefined {
    return toRecord(this.documents.findOperation({ scope }));
  }

  findById(id: string): OperationRecord | undefined {
    return toRecord(this.documents.findOperation({ id }));
  }
}

function toRecord(operation: RememberedOperation | undefined): OperationRecord | undefined {
  if (operation === undefined) return undefined;
  const { id, bodyHmac, at, outcome, commit } = operation;
  return { id, bodyHmac, atMs: at, answer: answerOf(outcome, commit) };
}
