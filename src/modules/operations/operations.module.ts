import { Module } from '@nestjs/common';
import { SqlOperationLedger } from '../../platform/sql/index.js';
import { CustomerOperationLedger, CustomersModule } from '../customers/index.js';
import { OperationsController } from './adapters/http/operations.controller.js';
import { OperationService } from './operation.service.js';

@Module({
  imports: [CustomersModule],
  controllers: [OperationsController],
  providers: [
    {
      provide: OperationService,
      inject: [SqlOperationLedger, CustomerOperationLedger],
      useFactory: (sql: SqlOperationLedger, customers: CustomerOperationLedger) =>
        new OperationService([sql, customers]),
    },
  ],
})
export class OperationsModule {}
