import type { SqlStore } from '../store-registration/index.js';
import { CreatePaymentUsers1764800000001, SEALED_PAYMENT_USERS } from './create-payment-users.migration.js';
import { PAYMENT } from './payment-file.js';
import { PaymentModule } from './payment.module.js';

export const PAYMENT_STORE: SqlStore = {
  kind: 'sql',
  name: 'payment',
  file: PAYMENT,
  entities: [],
  migrations: [CreatePaymentUsers1764800000001],
  sealed: [SEALED_PAYMENT_USERS],
  queryNames: {},
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: undefined,
  serve: (file) => ({ module: PaymentModule.of(file), participant: undefined }),
};
