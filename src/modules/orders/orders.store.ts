import { PAGE_QUERIES } from '../../platform/http/index.js';
import { systemClock } from '../../platform/process/index.js';
import { SAGA_MIGRATIONS, SEALED_SAGA_STEPS } from '../../protocols/saga/index.js';
import { CreateBatchInits1764800000004 } from '../shop-sets/index.js';
import type { SqlStore } from '../store-registration/index.js';
import { CHECKOUT } from './checkout.saga.js';
import { CheckoutRepository } from './checkout/checkout.repository.js';
import { CreateSagas1764800000005, SEALED_SAGAS } from './checkout/create-sagas.migration.js';
import { IndexRefusedSagas1764900000002 } from './checkout/index-refused-sagas.migration.js';
import { orderSteps } from './checkout/order-steps.js';
import { CreateOrders1764800000004, SEALED_ORDERS } from './create-orders.migration.js';
import { OrderBatchInit } from './order-batch-init.js';
import { OrderRepository } from './order.repository.js';
import { ORDERS } from './orders-file.js';
import { OrdersModule } from './orders.module.js';

export const ORDERS_STORE: SqlStore = {
  kind: 'sql',
  name: 'orders',
  file: ORDERS,
  entities: [],
  migrations: [
    ...SAGA_MIGRATIONS,
    CreateBatchInits1764800000004,
    CreateOrders1764800000004,
    CreateSagas1764800000005,
    IndexRefusedSagas1764900000002,
  ],
  sealed: [SEALED_ORDERS, SEALED_SAGAS, SEALED_SAGA_STEPS],
  queryNames: { '/sagas': [...PAGE_QUERIES, 'state'] },
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: (services) => services.get(OrderBatchInit).finish(),
  serve: (file) => {
    const { database } = file;
    const rows = { orders: new OrderRepository(database), checkouts: new CheckoutRepository(database) };
    const steps = orderSteps({ ...rows, clock: systemClock });
    return {
      module: OrdersModule.of(file, rows),
      participant: undefined,
      saga: { name: CHECKOUT.start.by, database, steps },
    };
  },
};
