import { SAGA_MIGRATIONS, SEALED_SAGA_STEPS } from '../../protocols/saga/index.js';
import { CreateBatchInits1764800000004 } from '../shop-sets/index.js';
import type { SqlStore } from '../store-registration/index.js';
import { CreatePaymentUsers1764800000001, SEALED_PAYMENT_USERS } from './create-payment-users.migration.js';
import { PaymentBatchInit } from './payment-batch-init.js';
import { PAYMENT } from './payment-file.js';
import { paymentSteps } from './payment-steps.js';
import { PaymentModule } from './payment.module.js';
import { PaymentRepository } from './payment.repository.js';

export const PAYMENT_STORE: SqlStore = {
  kind: 'sql',
  name: 'payment',
  file: PAYMENT,
  entities: [],
  migrations: [...SAGA_MIGRATIONS, CreatePaymentUsers1764800000001, CreateBatchInits1764800000004],
  sealed: [SEALED_PAYMENT_USERS, SEALED_SAGA_STEPS],
  queryNames: {},
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: (services) => services.get(PaymentBatchInit).finish(),
  serve: (file) => {
    const { database } = file;
    const users = new PaymentRepository(database);
    const saga = { name: 'payment', database, steps: paymentSteps(users) };
    return { module: PaymentModule.of(file, users), participant: undefined, saga };
  },
};
