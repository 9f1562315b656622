import { type FactoryProvider, Module } from '@nestjs/common';
import { systemTimers } from '../../platform/process/index.js';
import { SqlDatabase, SqlOperationLedger } from '../../platform/sql/index.js';
import { ShopGate, ShopSetsModule } from '../shop-sets/index.js';
import { StockBatchInitController } from './adapters/http/stock-batch-init.controller.js';
import { StockController } from './adapters/http/stock.controller.js';
import { StockBatchInit } from './stock-batch-init.js';
import { StockRepository } from './stock.repository.js';
import { StockService } from './stock.service.js';

const BATCH_INIT: FactoryProvider<StockBatchInit> = {
  provide: StockBatchInit,
  inject: [SqlDatabase, SqlOperationLedger, ShopGate, StockRepository],
  useFactory: (database: SqlDatabase, operations: SqlOperationLedger, gate: ShopGate, items: StockRepository) =>
    new StockBatchInit({ database, operations }, gate, systemTimers, items),
};

@Module({
  imports: [ShopSetsModule],
  controllers: [StockController, StockBatchInitController],
  providers: [StockRepository, StockService, BATCH_INIT],
  exports: [StockService],
})
export class StockModule {}
