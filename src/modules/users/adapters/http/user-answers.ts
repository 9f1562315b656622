import type { DocumentWritten } from '../../../../platform/documents/index.js';
import { type Answer, writtenAnswer } from '../../../../platform/http/index.js';
import type { SqlUserOutcome } from '../../sql-user.service.js';
import type { DecidedUser } from '../../user-2pc.service.js';

const SQL_PATH = '/sql/users';

export function sqlUserAnswer({ change, user }: SqlUserOutcome): Answer {
  return writtenAnswer(change, SQL_PATH, user);
}

/** Answers a finished write on a user among the documents, the first time and at every replay. */
export function documentUserAnswer({ outcome, commit }: DocumentWritten): Answer {
  return writtenAnswer(outcome.change, '/nosql/users', outcome.document, commit);
}

/** The answer is recorded with the decision, for repeats of the request. */
export function user2pcAnswer(decided: DecidedUser): Answer {
  return { status: 201, headers: { location: `${SQL_PATH}/${String(decided.id)}` }, body: JSON.stringify(decided) };
}
