export { DocumentStore } from './document-store.js';
export type { DocumentPage, DocumentStoreOptions, DocumentStorePorts, DocumentWrite, WriteRefusal } from './document-store.js';
export type { CollectionDeclaration, Fields, Scalar, ShownDocument } from './document-machine.js';
export type { DocumentOutcome, RememberedOperation } from './operation-memory.js';
