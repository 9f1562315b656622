import {
  createOperation,
  listOperation,
  readOperation,
  removeOperation,
  replaceOperation,
} from '../../../../platform/http/index.js';
import { customerInputSchema, customerSchema } from '../../customer.schemas.js';

const WRITE = { resource: customerSchema, body: customerInputSchema, replicated: true };

export const CUSTOMER_OPERATIONS = {
  list: listOperation({
    id: 'listCustomers',
    summary: 'List the customers in id order',
    item: customerSchema,
    minSeq: true,
  }),
  read: readOperation({ id: 'readCustomer', summary: 'Read one customer', resource: customerSchema, minSeq: true }),
  create: createOperation({ id: 'createCustomer', summary: 'Add a customer', ...WRITE }),
  replace: replaceOperation({
    id: 'replaceCustomer',
    summary: 'Replace a customer; orders_count keeps its value',
    ...WRITE,
  }),
  delete: removeOperation({ id: 'deleteCustomer', summary: 'Remove a customer', replicated: true }),
};
