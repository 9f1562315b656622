export type * from './ports.js';
export { defineSaga, type SagaDefinition, type SagaTable, START } from './core/definition.js';
export { findMissingRows, type MissingRow } from './shell/compare-files.js';
export { SAGA_CRASH_SITES } from './shell/crash-sites.js';
export type { OpenDelivery } from './shell/delivery-under-way.js';
export { type Pause, SagaRelay, type SagaRelayPorts } from './shell/relay.js';
export { SEALED_SAGA_STEPS } from './stores/create-saga-steps.migration.js';
export { SAGA_MIGRATIONS } from './stores/saga-migrations.js';
export { SqlSagaFile } from './stores/sql-saga-file.js';
