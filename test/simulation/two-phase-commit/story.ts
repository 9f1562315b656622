import type { Decision, TransactionId } from '../../../src/protocols/two-phase-commit/index.js';
import type { Concern } from '../replication/cluster.js';
import type { SqlWork } from './simulated-database.js';

/** One transaction, as the disks and the client have seen it over the whole run. */
export interface Story {
  readonly id: TransactionId;
  readonly work: SqlWork;
  /** Who was asked for a promise. */
  readonly participants: readonly ('documents' | 'ledger')[];
  /** Where the documents' promise must be when the transaction commits. */
  readonly concern: Concern;
  /** Of the database's incarnation in which it began. */
  readonly incarnation: number;
  /** Of the documents' record of their promise. */
  promisedSeq: number | undefined;
  /** Also when it is forgotten by now, but not when its database was put back in time. */
  row: Decision | undefined;
  businessRows: number;
  documents: Decision | undefined;
  /** Of the documents' record of their decision. */
  decidedSeq: number | undefined;
  ledger: Decision | undefined;
  /** How many documents the commit has reached, where it stands in the history. */
  customers: number | undefined;
  /** What the client may rely on. */
  told: 'done' | 'not done' | undefined;
  /** Its row was there, and the database was put back in time. */
  lost: { readonly row: Decision; readonly businessRows: number } | undefined;
  /** The database that is there now does not show that it is newer than the transaction: nobody may presume anything. */
  needsOperator: boolean;
}

export type Request = Pick<Story, 'work' | 'participants' | 'concern' | 'incarnation'>;

export function beginStory(id: TransactionId, request: Request): Story {
  const undecided = { row: undefined, documents: undefined, ledger: undefined, told: undefined };
  const nowhere = { promisedSeq: undefined, decidedSeq: undefined, businessRows: 0, customers: undefined };
  return { id, ...request, ...undecided, ...nowhere, lost: undefined, needsOperator: false };
}
