import { type DynamicModule, Module } from '@nestjs/common';
import { TransactionsController } from './adapters/http/transactions.controller.js';
import { TransactionReads } from './transaction-reads.js';
import { TransactionService } from './transaction.service.js';
import type { DecisionRows, PromiseHolder, RunningTransactions } from './transaction-sources.js';

export interface TransactionsModuleOptions {
  /** The caller creates, starts and stops it. */
  readonly coordinator: RunningTransactions;
  /** All that may hold a promise. */
  readonly participants: readonly PromiseHolder[];
  /** The rows of the coordinator's last resource. */
  readonly rows: DecisionRows;
}

@Module({})
export class TransactionsModule {
  static of({ coordinator, participants, rows }: TransactionsModuleOptions): DynamicModule {
    const reads = new TransactionReads(coordinator, participants, rows);
    return {
      module: TransactionsModule,
      controllers: [TransactionsController],
      providers: [{ provide: TransactionService, useValue: new TransactionService(coordinator, reads) }],
    };
  }
}
