export { BATCH_INIT, batchInitAnswer, MAX_ROWS, parseRowCount, ROW_COUNT } from './adapters/http/batch-init-routes.js';
export { BatchInit, type RowRange, type RowSet, type SetParameters } from './batch-init.js';
export { CreateBatchInits1764800000004 } from './create-batch-inits.migration.js';
export { type BegunCheckouts, checkoutsUnderWay, ShopGate } from './shop-gate.js';
export { ShopSetsModule } from './shop-sets.module.js';
