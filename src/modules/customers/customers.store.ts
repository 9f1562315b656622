import { PAGE_QUERIES } from '../../platform/http/index.js';
import type { DocumentStoreRegistration } from '../store-registration/index.js';
import { customerAnswer } from './adapters/http/customer-answers.js';
import { CUSTOMERS } from './customer-reads.js';
import type { CustomerInput } from './customer.schemas.js';
import { CustomerService } from './customer.service.js';
import { CustomersModule } from './customers.module.js';

const SEED: readonly CustomerInput[] = [
  { name: 'Ada Lovelace', email: 'ada@example.org' },
  { name: 'Grace Hopper', email: 'grace@example.org' },
];

export const CUSTOMERS_STORE: DocumentStoreRegistration = {
  kind: 'documents',
  name: 'customers',
  collection: CUSTOMERS,
  module: CustomersModule,
  queryNames: { '/customers': [...PAGE_QUERIES, 'min_seq'], '/customers/:id': ['min_seq'] },
  crashSites: [],
  seed: (services) => services.get(CustomerService).seed(SEED),
  answerOf: customerAnswer,
};
