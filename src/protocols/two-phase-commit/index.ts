export type * from './ports.js';
export {
  beginTransaction,
  type BranchState,
  type CoordinatorAnswer,
  type CoordinatorDecision,
  type CoordinatorEffect,
  type CoordinatorInput,
  type CoordinatorState,
  decideCoordinator,
  positionsOf,
} from './core/coordinator.js';
export {
  decideParticipant,
  type ParticipantDecision,
  type ParticipantMessage,
  type ParticipantState,
} from '../../kernel/index.js';
export {
  detailsOf,
  type UndecidedTransaction,
  undecidedOf,
  isDue,
  isUnmatched,
  type Judge,
  mismatches,
  type Mismatch,
  missingPromises,
  type MissingPromise,
  planRecovery,
  type RecoveryPlan,
  type StartState,
  type Notification,
  notificationsOf,
} from './core/recovery.js';
export { isEnded, type TransactionState } from './core/states.js';
export {
  branch,
  type Branch,
  type PhaseName,
  type RecoveryReport,
  type TransactionOutcome,
  type TransactionPhase,
  type TransactionRequest,
  type TransactionView,
} from './shell/transaction.js';
export { findCarriedOut, findInDoubt, findMismatches } from './shell/consistency-check.js';
export { TWO_PHASE_CRASH_SITES } from './shell/crash-sites.js';
export type { EndedTransaction } from './shell/transaction-record.js';
export {
  TransactionCoordinator,
  type TransactionOptions,
  type TransactionPorts,
} from './shell/transaction-coordinator.js';
export {
  DocumentParticipant,
  DOCUMENTS,
  type DocumentWork,
  type PromiseConfirmer,
} from './stores/document-participant.js';
export { SqliteLastResource, type SqlWork } from './stores/sqlite-last-resource.js';
export { CreateTransactionsTable1763700000004, TRANSACTION_ENTITIES } from './stores/typeorm-entities.js';
export {
  TypeOrmLastResource,
  type TypeOrmLastResourcePorts,
  type TypeOrmWork,
} from './stores/typeorm-last-resource.js';
