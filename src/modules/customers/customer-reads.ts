import { AppError } from '../../kernel/index.js';
import type { DocumentPage, DocumentView } from '../../platform/documents/index.js';
import type { PageRequest } from '../../platform/http/index.js';

/** Every document shows the counter as `orders_count`. */
export const CUSTOMERS = { name: 'customers', counterField: 'orders_count' } as const;

/** The primary's store or a replica's. */
export interface CustomerDocuments {
  find(collection: string, id: number): DocumentView | undefined;
  page(collection: string, after: number, limit: number): DocumentPage;
}

/** Throws `not-found`. */
export function findCustomer(documents: CustomerDocuments, id: number): DocumentView {
  const customer = documents.find(CUSTOMERS.name, id);
  if (customer === undefined) throw customerNotFound(id);
  return customer;
}

export function pageOfCustomers(documents: CustomerDocuments, { after, limit }: PageRequest): DocumentPage {
  return documents.page(CUSTOMERS.name, after, limit);
}

export function customerNotFound(id: number): AppError {
  return new AppError('not-found', `customer ${String(id)} does not exist`, { retry: 'never' });
}
