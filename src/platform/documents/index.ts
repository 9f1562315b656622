export { DocumentStore } from './document-store.js';
export type {
  DocumentPage,
  DocumentStoreOptions,
  DocumentStorePorts,
  DocumentWrite,
  WriteRefusal,
} from './document-store.js';
export type { CollectionDeclaration, DocumentOutcome, Fields, Scalar, ShownDocument } from './document-op.js';
export type { RememberedOperation } from './operation-memory.js';
export { SNAPSHOT_CRASH_SITES } from './snapshot-file.js';
