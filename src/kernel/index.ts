export { ACCEPT_LOSS, AppError, isAppError, storageFull } from './app-error.js';
export type { ErrorCode, FieldError, Retry } from './app-error.js';
export { isPlainKey, parseJson } from './json.js';
export { HeldKeyCounts } from './held-key-counts.js';
export {
  ADDED_KEY_RETENTION_MS,
  ADDED_KEYS,
  CLIENT_KEY_RETENTION_MS,
  keyRetentionMs,
  SERVER_ID_RETENTION,
} from './operation.js';
export type { HeldKeys, OperationLedger, OperationRecord, OperationStamp } from './operation.js';
export {
  compareLamport,
  earlierOf,
  type LamportTime,
  laterOf,
  MAX_VERSION_LEAP,
  maxRaise,
  parseLamport,
  plusLamport,
} from './lamport-clock.js';
export type { CapturedState, CopyableHistory, EncodedRecord, OpenSnapshot, SnapshotStream } from './history.js';
export {
  type ChainPosition,
  GENESIS,
  isAheadOf,
  isAsFarAs,
  type LogPosition,
  logPositionText,
  parseLogPosition,
} from './log-position.js';
export { type Permission, type Role, ROLES, ROLES_WITH } from './permissions.js';
export { LimitedWarnings } from './limited-warnings.js';
export type {
  Clock,
  CrashSites,
  Disk,
  DiskFile,
  DiskReader,
  Log,
  MaybePromise,
  Microtask,
  NextTurn,
  ProcessControl,
  Random,
  Timers,
} from './ports.js';
export {
  decideParticipant,
  type ParticipantDecision,
  type ParticipantMessage,
  type ParticipantState,
} from './participant.js';
export type * from './transaction.js';
export { centsFromPrice, priceFromCents } from './money.js';
