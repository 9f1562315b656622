import type { Answer } from '../../kernel/index.js';
import type { TransactionId } from '../../protocols/two-phase-commit/index.js';
import type { Book } from '../books/index.js';
import { CUSTOMERS } from '../customers/index.js';

/** What the commit in SQL can tell; the rest is told by the documents when they have carried it out. */
export interface DecidedBook {
  readonly transactionId: TransactionId;
  readonly book: Book;
}

/** What is recorded with the decision, for a repeat of the request. */
export function recordedAnswer(decided: DecidedBook): Answer {
  const headers = { location: `/books/${String(decided.book.id)}` };
  return { status: 201, headers, body: JSON.stringify(decided) };
}

/** `receipt`: of the documents. One that they have forgotten tells of no number. */
export function wholeBody(recorded: object, receipt: { readonly outcome?: unknown } | undefined): object {
  const { bumped } = (receipt?.outcome ?? {}) as { readonly bumped?: Readonly<Record<string, number>> };
  const customersUpdated = bumped?.[CUSTOMERS.name];
  return customersUpdated === undefined ? recorded : { ...recorded, customersUpdated };
}
