import { type DynamicModule, Module } from '@nestjs/common';
import { OperationsController } from './adapters/http/operations.controller.js';
import { OperationService } from './operation.service.js';

@Module({})
export class OperationsModule {
  static of(operations: OperationService<unknown>): DynamicModule {
    return {
      module: OperationsModule,
      controllers: [OperationsController],
      providers: [{ provide: OperationService, useValue: operations }],
    };
  }
}
