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
  placesOf,
} from './core/coordinator.js';
export {
  decideParticipant,
  type ParticipantDecision,
  type ParticipantMessage,
  type ParticipantState,
} from './core/participant.js';
export {
  detailsOf,
  type Doubt,
  doubtsOf,
  isDue,
  isUnmatched,
  type Judge,
  mismatches,
  type Mismatch,
  missingPromises,
  type MissingPromise,
  planRecovery,
  type RecoveryPlan,
  type StartFindings,
  type Telling,
  tellingsOf,
} from './core/recovery.js';
export { isEnded, type TransactionState } from './core/states.js';
export {
  branch,
  type Branch,
  type RecoveryReport,
  type TransactionOutcome,
  type TransactionPhase,
  type TransactionRequest,
  type TransactionView,
} from './shell/transaction.js';
export { SqliteLastResource, type SqlWork } from './stores/sqlite-last-resource.js';
