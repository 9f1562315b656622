import { Module } from '@nestjs/common';
import { StockRepository } from './stock.repository.js';
import { StockService } from './stock.service.js';

@Module({ providers: [StockRepository, StockService], exports: [StockService] })
export class StockModule {}
