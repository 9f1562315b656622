export { answerCustomer, answerCustomers } from './adapters/http/customer-answers.js';
export { CUSTOMER_OPERATIONS } from './adapters/http/customer-operations.js';
export { type CustomerDocuments, CUSTOMERS } from './customer-reads.js';
export { type CustomerInput, customerInputSchema } from './customer.schemas.js';
export { CUSTOMERS_STORE } from './customers.store.js';
