import type { Answer } from '../../kernel/index.js';
import type { TransactionId } from '../../protocols/two-phase-commit/index.js';
import { pathOf } from './sql-user.service.js';
import type { User } from './user.schemas.js';

/** A user in both stores, as decided. */
export interface DecidedUser extends User {
  readonly transactionId: TransactionId;
}

/** What is recorded with the decision, for a repeat of the request. */
export function recordedAnswer({ id, firstname, lastname, transactionId }: DecidedUser): Answer {
  const body = JSON.stringify({ id, firstname, lastname, transactionId });
  return { status: 201, headers: { location: pathOf(id) }, body };
}
