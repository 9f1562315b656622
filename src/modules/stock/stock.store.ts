import { BOOKSTORE } from '../../platform/sql/index.js';
import type { SqlStore } from '../store-registration/index.js';
import { CreateStock1764800000002, SEALED_STOCK } from './create-stock.migration.js';
import { StockModule } from './stock.module.js';

export const STOCK_STORE: SqlStore = {
  kind: 'sql',
  name: 'stock',
  file: BOOKSTORE,
  entities: [],
  migrations: [CreateStock1764800000002],
  sealed: [SEALED_STOCK],
  queryNames: {},
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: undefined,
  serve: () => ({ module: StockModule, participant: undefined }),
};
