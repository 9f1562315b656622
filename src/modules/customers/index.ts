export { answerCustomer, answerCustomers } from './adapters/http/customer-answers.js';
export { CustomerOperationLedger } from './adapters/http/customer-operation-ledger.js';
export { CUSTOMER_OPERATIONS } from './adapters/http/customer-operations.js';
export { type CustomerDocuments, CUSTOMERS } from './customer-reads.js';
export { type CustomerInput, customerInputSchema } from './customer.schemas.js';
export { CustomerService } from './customer.service.js';
export { CustomersModule } from './customers.module.js';
