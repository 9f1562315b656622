export { DocumentStore } from './document-store.js';
export type {
  DocumentPage,
  DocumentStoreOptions,
  DocumentStorePorts,
  DocumentWrite,
  WriteRefusal,
} from './document-store.js';
export { DocumentMachine } from './document-machine.js';
export type { DocumentsSnapshot, SnapshotMeta } from './document-machine.js';
export type {
  CollectionDeclaration,
  DocumentOp,
  DocumentOutcome,
  Fields,
  Scalar,
  ShownDocument,
} from './document-op.js';
export type { RememberedOperation } from './operation-memory.js';
export { SnapshotCodec } from './snapshot-codec.js';
export { SNAPSHOT_CRASH_SITES, SnapshotFile } from './snapshot-file.js';
export { stateHash } from './state-hash.js';
