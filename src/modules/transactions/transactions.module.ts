import { type DynamicModule, Module } from '@nestjs/common';
import { TransactionsController } from './adapters/http/transactions.controller.js';
import { TransactionReads } from './transaction-reads.js';
import { TransactionService } from './transaction.service.js';
import type { DecisionRows, PromiseHolder, RunningTransactions } from './transaction-sources.js';

export interface TransactionsModuleOptions {
  /** Made and started by the caller, who also stops it. */
  readonly coordinator: RunningTransactions;
  /** All that may hold a promise. */
  readonly participants: readonly PromiseHolder[];
  /** Of the last resource that the coordinator was made with. */
  readonly rows: DecisionRows;
}

/** `/transactions`, for whatever takes part in them. */
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
