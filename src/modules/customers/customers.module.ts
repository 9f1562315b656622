import { Module } from '@nestjs/common';
import { CustomersController } from './adapters/http/customers.controller.js';
import { CustomerService } from './customer.service.js';

@Module({
  controllers: [CustomersController],
  providers: [CustomerService],
})
export class CustomersModule {}
