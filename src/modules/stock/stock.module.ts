import { Module } from '@nestjs/common';
import { StockController } from './adapters/http/stock.controller.js';
import { StockRepository } from './stock.repository.js';
import { StockService } from './stock.service.js';

@Module({
  controllers: [StockController],
  providers: [StockRepository, StockService],
  exports: [StockService],
})
export class StockModule {}
