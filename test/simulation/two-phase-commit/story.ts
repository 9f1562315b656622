import type { Decision, TransactionId } from '../../../src/protocols/two-phase-commit/index.js';
import type { Concern } from '../replication/cluster.js';
import type { SqlWork } from './simulated-database.js';

/** One transaction, with the view of the disks and of the client over the whole run. */
export interface Story {
  readonly id: TransactionId;
  readonly work: SqlWork;
  /** The participants that were asked for a promise. */
  readonly participants: readonly ('documents' | 'ledger')[];
  /** The replicas that must hold the documents' promise when the transaction commits. */
  readonly concern: Concern;
  /** The database's incarnation in which it began. */
  readonly incarnation: number;
  /** The number of the documents' record of their promise. */
  promisedSeq: number | undefined;
  /** Includes a forgotten row, but not a row that an older copy of the database lacks. */
  row: Decision | undefined;
  businessRows: number;
  documents: Decision | undefined;
  /** The number of the documents' record of their decision. */
  decidedSeq: number | undefined;
  ledger: Decision | undefined;
  /** The number of documents that the commit has reached at its position in the history. */
  customers: number | undefined;
  /** The client's answer. */
  answer: 'done' | 'not done' | undefined;
  /** An older copy of the database has removed its row. */
  lost: { readonly row: Decision; readonly businessRows: number } | undefined;
  /** The present database may be older than the transaction, so no process may presume a decision. */
  needsOperator: boolean;
}

export type Request = Pick<Story, 'work' | 'participants' | 'concern' | 'incarnation'>;

export function beginStory(id: TransactionId, request: Request): Story {
  const undecided = { row: undefined, documents: undefined, ledger: undefined, answer: undefined };
  const nowhere = { promisedSeq: undefined, decidedSeq: undefined, businessRows: 0, customers: undefined };
  return { id, ...request, ...undecided, ...nowhere, lost: undefined, needsOperator: false };
}
