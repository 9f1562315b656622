import { Injectable } from '@nestjs/common';
import { type Answer, AppError, type OperationStamp } from '../../kernel/index.js';
import {
  type DocumentOutcome,
  type DocumentPage,
  DocumentStore,
  type DocumentWrite,
  type ShownDocument,
} from '../../platform/documents/index.js';
import { etagOf, ifMatchHolds, type PageRequest } from '../../platform/http/index.js';
import type { CustomerInput } from './customer.schemas.js';

/** The document collection that holds customers; every document shows the counter as `orders_count`. */
export const CUSTOMERS = { name: 'customers', counterField: 'orders_count' } as const;

/** No replicas hold documents yet, so every write concern is met by this process alone. */
const REPLICAS_ACKED = '0/0';

export interface ShownCustomer {
  readonly body: string;
  readonly etag: string;
}

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

  /** Throws `not-found`. */
  find(id: number): ShownCustomer {
    const customer = this.documents.find(CUSTOMERS.name, id);
    if (customer === undefined) throw notFound(id);
    return shown(customer);
  }

  page({ after, limit }: PageRequest): DocumentPage {
    return this.documents.page(CUSTOMERS.name, after, limit);
  }

  /**
   * Puts `inputs` into a store that has never held a customer. Each has an operation of its own, so that a start that
   * was cut short in between is completed by the next.
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
  const headers = { 'x-replicas-acked': REPLICAS_ACKED, 'x-commit': commit };
  if (change === 'deleted' || document === undefined) return { status: 204, headers, body: null };
  const { body, etag } = shown(document);
  if (change === 'replaced') return { status: 200, headers: { ...headers, etag }, body };
  return { status: 201, headers: { ...headers, etag, location: `/customers/${String(document.id)}` }, body };
}

function written(write: DocumentWrite, id: number): Answer {
  if (write.done) return answerOf(write.outcome, `${String(write.commit.epoch)}.${String(write.commit.seq)}`);
  if (write.refusal === 'not-found') throw notFound(id);
  throw new AppError('precondition-failed', `customer ${String(id)} is not the version that If-Match names`, {
    retry: 'never',
  });
}

function preconditionOf(ifMatch: string | undefined): ((current: ShownDocument) => boolean) | undefined {
  return ifMatch === undefined ? undefined : (current) => ifMatchHolds(ifMatch, shown(current).etag);
}

function fieldsOf({ name, email }: CustomerInput): { name: string; email: string } {
  return { name, email };
}

function shown(customer: ShownDocument): ShownCustomer {
  const body = JSON.stringify(customer);
  return { body, etag: etagOf(body) };
}

function notFound(id: number): AppError {
  return new AppError('not-found', `there is no customer ${String(id)}`, { retry: 'never' });
}
