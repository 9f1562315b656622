import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { risingUuids, systemClock, systemRandom, systemTimers } from '../../platform/process/index.js';
import { ShopGate, ShopSetsModule } from '../shop-sets/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { PaymentController } from './adapters/http/payment.controller.js';
import { PaymentBatchInit } from './payment-batch-init.js';
import type { PaymentRepository } from './payment.repository.js';
import { PaymentService } from './payment.service.js';

@Module({})
export class PaymentModule {
  static of(file: OpenSqlFile, users: PaymentRepository): DynamicModule {
    const newId = risingUuids({ clock: systemClock, random: systemRandom });
    const batchInit: FactoryProvider<PaymentBatchInit> = {
      provide: PaymentBatchInit,
      inject: [ShopGate],
      useFactory: (gate: ShopGate) => new PaymentBatchInit(file, gate, systemTimers, users),
    };
    return {
      module: PaymentModule,
      // Only the opened file makes an instance of this module, so orders cannot import it.
      global: true,
      imports: [ShopSetsModule],
      controllers: [PaymentController],
      providers: [{ provide: PaymentService, useValue: new PaymentService(file, users, newId) }, batchInit],
      exports: [PaymentService],
    };
  }
}
