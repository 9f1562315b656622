import type { RecordedAnswer } from '../../platform/sql/index.js';

/** The result of the commit in SQL that decided a transaction. */
export interface Decided {
  readonly answer: RecordedAnswer;
  /** The log position of the documents' promise, which replicas were waited for; absent or empty when there is none. */
  readonly promisedAt: string | undefined;
}
