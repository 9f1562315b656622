import type { Answer } from '../../../../platform/http/index.js';
import { CUSTOMERS } from '../../../customers/index.js';
import type { CompleteBody } from '../../../transactions/index.js';
import type { DecidedBook } from '../../book-2pc.service.js';

/** The answer is recorded with the decision, for repeats of the request. */
export function book2pcAnswer(decided: DecidedBook): Answer {
  return { status: 201, headers: { location: `/books/${String(decided.book.id)}` }, body: JSON.stringify(decided) };
}

/** Adds the number of customers, which the documents report unless they have forgotten the transaction. */
export const withCustomersUpdated: CompleteBody = (recorded, acknowledgement) => {
  const { bumped } = (acknowledgement?.outcome ?? {}) as { readonly bumped?: Readonly<Record<string, number>> };
  const customersUpdated = bumped?.[CUSTOMERS.name];
  return customersUpdated === undefined
    ? recorded
    : `${recorded.slice(0, -1)},"customersUpdated":${String(customersUpdated)}}`;
};
