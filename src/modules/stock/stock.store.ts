import { BOOKSTORE } from '../../platform/sql/index.js';
import { SAGA_MIGRATIONS, SEALED_SAGA_STEPS } from '../../protocols/saga/index.js';
import { CreateBatchInits1764800000004 } from '../shop-sets/index.js';
import type { SqlStore } from '../store-registration/index.js';
import { CreateStock1764800000002, SEALED_STOCK } from './create-stock.migration.js';
import { StockBatchInit } from './stock-batch-init.js';
import { stockSteps } from './stock-steps.js';
import { StockModule } from './stock.module.js';
import { StockRepository } from './stock.repository.js';

export const STOCK_STORE: SqlStore = {
  kind: 'sql',
  name: 'stock',
  file: BOOKSTORE,
  entities: [],
  migrations: [...SAGA_MIGRATIONS, CreateStock1764800000002, CreateBatchInits1764800000004],
  sealed: [SEALED_STOCK, SEALED_SAGA_STEPS],
  queryNames: {},
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: (services) => services.get(StockBatchInit).finish(),
  serve: ({ database }) => {
    const saga = { name: 'stock', database, steps: stockSteps(new StockRepository(database)) };
    return { module: StockModule, participant: undefined, saga };
  },
};
