import { type DynamicModule, Module } from '@nestjs/common';
import { InvoiceService } from './invoice.service.js';
import { InvoicesController } from './invoices.controller.js';

@Module({})
export class InvoicesModule {
  static of(invoices: InvoiceService): DynamicModule {
    return {
      module: InvoicesModule,
      controllers: [InvoicesController],
      providers: [{ provide: InvoiceService, useValue: invoices }],
    };
  }
}
