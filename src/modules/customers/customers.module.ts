import { Module } from '@nestjs/common';
import { CustomersController } from './adapters/http/customers.controller.js';
import { CustomerOperationLedger } from './adapters/http/customer-operation-ledger.js';
import { CustomerService } from './customer.service.js';

@Module({
  controllers: [CustomersController],
  providers: [CustomerService, CustomerOperationLedger],
  exports: [CustomerService, CustomerOperationLedger],
})
export class CustomersModule {}
