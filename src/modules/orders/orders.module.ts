import { type DynamicModule, Module } from '@nestjs/common';
import { risingUuids, systemClock, systemRandom, systemTimers } from '../../platform/process/index.js';
import { PaymentService } from '../payment/index.js';
import { ShopGate, ShopSetsModule } from '../shop-sets/index.js';
import { StockModule, StockService } from '../stock/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { OrdersController } from './adapters/http/orders.controller.js';
import { SagasController } from './adapters/http/sagas.controller.js';
import type { CheckoutRepository } from './checkout/checkout.repository.js';
import { CheckoutService } from './checkout/checkout.service.js';
import { CheckoutSagas } from './checkout/checkout-sagas.js';
import { startCheckout } from './checkout/start-checkout.js';
import { OrderBatchInit } from './order-batch-init.js';
import type { OrderRepository } from './order.repository.js';
import { OrderService, type ShopQueries } from './order.service.js';

interface Rows {
  readonly orders: OrderRepository;
  readonly checkouts: CheckoutRepository;
}

/** Imports PaymentService, CheckoutSagas and SagaService from global modules. */
@Module({})
export class OrdersModule {
  constructor(gate: ShopGate, sagas: CheckoutSagas) {
    gate.begun = sagas;
  }

  static of(file: OpenSqlFile, { orders, checkouts }: Rows): DynamicModule {
    const newId = risingUuids({ clock: systemClock, random: systemRandom });
    const queriesOf = (stock: StockService, payment: PaymentService): ShopQueries => ({
      userSet: (userId) => payment.find(userId).setNumber,
      items: (ids) => stock.itemsOnSale(ids),
    });
    return {
      module: OrdersModule,
      imports: [StockModule, ShopSetsModule],
      controllers: [OrdersController, SagasController],
      providers: [
        {
          provide: OrderBatchInit,
          inject: [ShopGate],
          useFactory: (gate: ShopGate) =>
            new OrderBatchInit(
              file,
              gate,
              { timers: systemTimers, random: systemRandom, clock: systemClock },
              { orders, checkouts },
            ),
        },
        {
          provide: OrderService,
          inject: [StockService, PaymentService],
          useFactory: (stock: StockService, payment: PaymentService) =>
            new OrderService(file, orders, queriesOf(stock, payment), newId),
        },
        {
          provide: CheckoutService,
          inject: [StockService, PaymentService, CheckoutSagas, ShopGate],
          useFactory: (stock: StockService, payment: PaymentService, sagas: CheckoutSagas, gate: ShopGate) => {
            const parts = { orders, checkouts, queries: queriesOf(stock, payment), clock: systemClock };
            return new CheckoutService({
              start: (saga) => startCheckout(parts, saga),
              ...{ gate, sagas, checkouts, timers: systemTimers, timeoutMs: sagas.timeoutMs },
            });
          },
        },
      ],
    };
  }
}
