import { Injectable } from '@nestjs/common';
import { type Answer, type OperationStamp, placeText } from '../../kernel/index.js';
import {
  type DocumentOutcome,
  DocumentStore,
  type DocumentWrite,
  reservedDocument,
  type ShownDocument,
} from '../../platform/documents/index.js';
import { ifMatchHolds, otherVersion } from '../../platform/http/index.js';
import type { CustomerInput } from './customer.schemas.js';
import { CUSTOMERS, customerNotFound, shownCustomer } from './customer-reads.js';

@Injectable()
export class CustomerService {
  constructor(private readonly documents: DocumentStore) {}

  async create(input: CustomerInput, operation: OperationStamp): Promise<Answer> {
    return written(await this.documents.create(CUSTOMERS.name, fieldsOf(input), operation), 0);
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  async replace(
    id: number,
    input: CustomerInput,
    ifMatch: string | undefined,
    operation: OperationStamp,
  ): Promise<Answer> {
    const precondition = preconditionOf(ifMatch);
    return written(await this.documents.replace(CUSTOMERS.name, id, fieldsOf(input), operation, precondition), id);
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  async delete(id: number, ifMatch: string | undefined, operation: OperationStamp): Promise<Answer> {
    return written(await this.documents.delete(CUSTOMERS.name, id, operation, preconditionOf(ifMatch)), id);
  }

  /**
   * Each has an operation of its own, so that a start that was cut short in between is completed by the next. Does
   * nothing where there was ever another customer.
   */
  async seed(inputs: readonly CustomerInput[]): Promise<void> {
    const seedOperation = (id: number): OperationStamp => ({ id: `seed-customer-${String(id)}` });
    for (const [index, input] of inputs.entries()) {
      const id = index + 1;
      const isPreviousSeeded = index === 0 || this.documents.findOperation(seedOperation(index)) !== undefined;
      if (this.documents.nextId(CUSTOMERS.name) !== id || !isPreviousSeeded) return;
      await this.create(input, seedOperation(id));
    }
  }
}

/** How a finished write on a customer is answered, the first time and at every replay. */
export function answerOf({ change, document }: DocumentOutcome, commit: string): Answer {
  const headers = { 'x-commit': commit };
  if (change === 'deleted' || document === undefined) return { status: 204, headers, body: null };
  const { body, etag } = shownCustomer(document);
  if (change === 'replaced') return { status: 200, headers: { ...headers, etag }, body };
  return { status: 201, headers: { ...headers, etag, location: `/customers/${String(document.id)}` }, body };
}

function written(write: DocumentWrite, id: number): Answer {
  if (write.done) return answerOf(write.outcome, placeText(write.commit));
  if (write.refusal === 'not-found') throw customerNotFound(id);
  const what = `customer ${String(id)}`;
  throw write.refusal === 'reserved' ? reservedDocument(what) : otherVersion(what);
}

function preconditionOf(ifMatch: string | undefined): ((current: ShownDocument) => boolean) | undefined {
  return ifMatch === undefined ? undefined : (current) => ifMatchHolds(ifMatch, shownCustomer(current).etag);
}

function fieldsOf({ name, email }: CustomerInput): { name: string; email: string } {
  return { name, email };
}
