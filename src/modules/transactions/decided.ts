import type { RecordedAnswer } from '../../platform/sql/index.js';

/** What the commit in SQL that decided a transaction left. */
export interface Decided {
  readonly answer: RecordedAnswer;
  /** Log position of the documents' promise, which replicas were waited for; absent or empty where there is none. */
  readonly promisedAt: string | undefined;
}
