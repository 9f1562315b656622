export { DocumentStore } from './document-store.js';
export type { DocumentStorePorts, DocumentWrite } from './document-store.js';
export type { PrepareRefusal } from './document-transactions.js';
export type { TransactionOutcome } from './transaction-memory.js';
export { DocumentFollower } from './document-follower.js';
export type { DocumentHistoryOptions } from './document-history.js';
export { FOLLOWER_CRASH_SITES } from './follower-crash-sites.js';
export { DocumentOperationLedger } from './document-operation-ledger.js';
export type { DocumentPage } from './document-reads.js';
export { storeStream } from './snapshot-stream.js';
export { reservedDocument } from './reserved-document.js';
export { inTurns } from './in-turns.js';
export { DocumentMachine } from './document-machine.js';
export type { DocumentsSnapshot, SnapshotMeta } from './document-machine.js';
export type {
  CollectionDeclaration,
  DocumentId,
  DocumentOp,
  DocumentOutcome,
  Fields,
  PreparedChange,
  DocumentView,
  DocumentWritten,
} from './document-op.js';
export { isTextId } from './id-kind.js';
export { SnapshotCodec } from './snapshot-codec.js';
export { type FileCodec, SNAPSHOT_CRASH_SITES, SnapshotFile } from './snapshot-file.js';
export { SnapshotFiles } from './snapshot-files.js';
export { stateHash } from './state-hash.js';
export { UnmatchedTransactions } from './unmatched-transactions.js';
export { type DocumentsAhead, WarmDocuments } from './warm-documents.js';
