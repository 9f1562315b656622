import { CreateBatchInits1764800000004 } from '../shop-sets/index.js';
import type { SqlStore } from '../store-registration/index.js';
import { CreatePaymentUsers1764800000001, SEALED_PAYMENT_USERS } from './create-payment-users.migration.js';
import { PaymentBatchInit } from './payment-batch-init.js';
import { PAYMENT } from './payment-file.js';
import { PaymentModule } from './payment.module.js';

export const PAYMENT_STORE: SqlStore = {
  kind: 'sql',
  name: 'payment',
  file: PAYMENT,
  entities: [],
  migrations: [CreatePaymentUsers1764800000001, CreateBatchInits1764800000004],
  sealed: [SEALED_PAYMENT_USERS],
  queryNames: {},
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: (services) => services.get(PaymentBatchInit).finish(),
  serve: (file) => ({ module: PaymentModule.of(file), participant: undefined }),
};
