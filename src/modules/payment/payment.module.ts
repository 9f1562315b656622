import { type DynamicModule, Module } from '@nestjs/common';
import { risingUuids, systemClock, systemRandom } from '../../platform/process/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { PaymentController } from './adapters/http/payment.controller.js';
import { PaymentRepository } from './payment.repository.js';
import { PaymentService } from './payment.service.js';

@Module({})
export class PaymentModule {
  static of(file: OpenSqlFile): DynamicModule {
    const users = new PaymentRepository(file.database);
    const newId = risingUuids({ clock: systemClock, random: systemRandom });
    return {
      module: PaymentModule,
      controllers: [PaymentController],
      providers: [{ provide: PaymentService, useValue: new PaymentService(file, users, newId) }],
      exports: [PaymentService],
    };
  }
}
