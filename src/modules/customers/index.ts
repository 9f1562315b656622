export { CustomerOperationLedger } from './customer-operation-ledger.js';
export type { CustomerInput } from './customer.schemas.js';
export { CUSTOMERS, CustomerService } from './customer.service.js';
export { CustomersModule } from './customers.module.js';
