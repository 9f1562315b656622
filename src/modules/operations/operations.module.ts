import { Module } from '@nestjs/common';
import { SqlTransactionTable, TransactionOperationLedger } from '../../platform/sql/index.js';
import { TransactionCoordinator } from '../../protocols/two-phase-commit/index.js';
import { CustomerOperationLedger, CustomersModule } from '../customers/index.js';
import { DocumentUserOperationLedger, UsersModule } from '../users/index.js';
import { OperationsController } from './adapters/http/operations.controller.js';
import { OperationService } from './operation.service.js';

@Module({
  imports: [CustomersModule, UsersModule],
  controllers: [OperationsController],
  providers: [
    {
      provide: OperationService,
      inject: [
        ...[TransactionOperationLedger, CustomerOperationLedger, DocumentUserOperationLedger],
        ...[TransactionCoordinator, SqlTransactionTable],
      ],
      useFactory: (
        sql: TransactionOperationLedger<unknown>,
        customers: CustomerOperationLedger,
        users: DocumentUserOperationLedger,
        transactions: TransactionCoordinator<never>,
        rows: SqlTransactionTable,
      ) => new OperationService<unknown>([sql, customers, users], transactions, rows),
    },
  ],
})
export class OperationsModule {}
