export type * from './ports.js';
export {
  defineSaga,
  type RetryBudget,
  type SagaDefinition,
  type SagaEndState,
  type SagaStep,
  type SagaTable,
  START,
} from './core/definition.js';
export { CreateSagaSteps1764800000001 } from './stores/create-saga-steps.migration.js';
