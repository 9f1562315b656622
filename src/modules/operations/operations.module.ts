import { Module } from '@nestjs/common';
import { SqlOperationLedger } from '../../platform/sql/index.js';
import { ReplicationPrimary } from '../../protocols/replication/index.js';
import { CustomerOperationLedger, CustomersModule } from '../customers/index.js';
import { OperationsController } from './adapters/http/operations.controller.js';
import { OperationService } from './operation.service.js';

@Module({
  imports: [CustomersModule],
  controllers: [OperationsController],
  providers: [
    {
      provide: OperationService,
      inject: [SqlOperationLedger, CustomerOperationLedger, ReplicationPrimary],
      useFactory: (sql: SqlOperationLedger, customers: CustomerOperationLedger, replication: ReplicationPrimary) =>
        new OperationService([sql, customers], replication),
    },
  ],
})
export class OperationsModule {}
