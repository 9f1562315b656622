import type { DocumentMachine } from '../../../src/platform/documents/document-machine.js';
import type { DocumentWork, LastResource, Participant } from '../../../src/protocols/two-phase-commit/index.js';
import { newMachine } from './document-cluster.js';
import type { SqlWork } from './simulated-database.js';

/** The code that the world runs: the real protocol, or a part of it with a bug that the audit must find. */
export interface Variant {
  readonly newMachine: () => DocumentMachine;
  readonly documents: (real: Participant<DocumentWork>) => Participant<DocumentWork>;
  readonly lastResource: (real: LastResource<SqlWork, string>) => LastResource<SqlWork, string>;
  /** Decisions may use the journal's reserve. */
  readonly usesReserve: boolean;
  readonly ledgerKeepsTombstones: boolean;
  /** Rows remain until the documents' record of the decision is in a snapshot. */
  readonly keepsRows: boolean;
}

export const REAL: Variant = {
  newMachine,
  documents: (real) => real,
  lastResource: (real) => real,
  usesReserve: true,
  ledgerKeepsTombstones: true,
  keepsRows: true,
};
