import type { DocumentMachine } from '../../../src/platform/documents/document-machine.js';
import type { DocumentWork, LastResource, Participant } from '../../../src/protocols/two-phase-commit/index.js';
import { newMachine } from './document-cluster.js';
import type { SqlWork } from './simulated-database.js';

/** What the world runs: the real protocol, or one part of it with a bug that the audit must find. */
export interface Variant {
  readonly newMachine: () => DocumentMachine;
  readonly documents: (real: Participant<DocumentWork>) => Participant<DocumentWork>;
  readonly lastResource: (real: LastResource<SqlWork, string>) => LastResource<SqlWork, string>;
  readonly ledgerForgetsTombstones: boolean;
  /** Decides also for what the documents' own history still shows. */
  readonly forgetsRowsEarly: boolean;
}

export const REAL: Variant = {
  newMachine,
  documents: (real) => real,
  lastResource: (real) => real,
  ledgerForgetsTombstones: false,
  forgetsRowsEarly: false,
};
