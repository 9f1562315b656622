import { AppendSagaSteps1765200000001 } from './append-saga-steps.migration.js';
import { ConfirmPruned1765000000001 } from './confirm-pruned.migration.js';
import { CreateSagaSteps1764800000001 } from './create-saga-steps.migration.js';
import { MarkDelivered1764900000001 } from './mark-delivered.migration.js';

/** What `SqlSagaFile` needs of its file. */
export const SAGA_MIGRATIONS = [
  CreateSagaSteps1764800000001,
  MarkDelivered1764900000001,
  ConfirmPruned1765000000001,
  AppendSagaSteps1765200000001,
] as const;
