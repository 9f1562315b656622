import { Injectable } from '@nestjs/common';
import type { AppError, OperationStamp } from '../../kernel/index.js';
import {
  DocumentStore,
  type DocumentView,
  type DocumentWrite,
  type DocumentWritten,
  reservedDocument,
} from '../../platform/documents/index.js';
import type { Preconditions } from '../../platform/http/index.js';
import type { CustomerInput } from './customer.schemas.js';
import { CUSTOMERS, customerNotFound } from './customer-reads.js';

@Injectable()
export class CustomerService {
  constructor(private readonly documents: DocumentStore) {}

  async create(input: CustomerInput, operation: OperationStamp): Promise<DocumentWritten> {
    return written(await this.documents.create(CUSTOMERS.name, fieldsOf(input), operation), 0);
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  async replace(
    id: number,
    input: CustomerInput,
    conditions: Preconditions,
    operation: OperationStamp,
  ): Promise<DocumentWritten> {
    const { isMet, refused } = judging(id, conditions);
    const write = await this.documents.replace(CUSTOMERS.name, id, fieldsOf(input), operation, isMet);
    return written(write, id, refused);
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  async delete(id: number, conditions: Preconditions, operation: OperationStamp): Promise<DocumentWritten> {
    const { isMet, refused } = judging(id, conditions);
    return written(await this.documents.delete(CUSTOMERS.name, id, operation, isMet), id, refused);
  }

  /**
   * Each customer has its own operation, so that the next start completes an interrupted one. Does nothing when there was ever
   * another customer.
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

function written(write: DocumentWrite, id: number, refused?: () => AppError): DocumentWritten {
  if (write.done) return write;
  if (write.refusal === 'reserved') throw reservedDocument(nameOf(id));
  throw write.refusal === 'precondition-failed' && refused ? refused() : customerNotFound(id);
}

/** The store asks whether the current document meets the conditions, and if not, why. */
function judging(
  id: number,
  conditions: Preconditions,
): { readonly isMet: ((current: DocumentView) => boolean) | undefined; readonly refused: () => AppError } {
  let refusal: AppError | undefined;
  const isMet = (current: DocumentView): boolean => {
    refusal = conditions.refusal(nameOf(id), current);
    return refusal === undefined;
  };
  return { isMet: conditions.areNone ? undefined : isMet, refused: () => refusal ?? customerNotFound(id) };
}

function nameOf(id: number): string {
  return `customer ${String(id)}`;
}

function fieldsOf({ name, email }: CustomerInput): { name: string; email: string } {
  return { name, email };
}
