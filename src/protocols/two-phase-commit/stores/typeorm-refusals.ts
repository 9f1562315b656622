import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { AppError, storageFull } from '../../../kernel/index.js';
import { refusalFrom } from '../../../platform/sql/index.js';

/** Of PostgreSQL, and Node's of a socket: nobody is there, or nobody is let in. */
const UNREACHABLE = /^(?:08\d{3}|57P0[123]|53300|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|PROTOCOL_CONNECTION_LOST)$/;

/** Of PostgreSQL: it has ended the transaction for the sake of another one, or because it took too long. */
const GIVEN_UP = /^(?:40001|40P01|55P03|57014|25P0[34])$/;

/** What `pg` says when its `query_timeout` is over. */
const CLIENT_GAVE_UP = 'Query read timeout';

/** As its driver gives it; TypeORM copies it from the driver's error. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** What an error means to the caller when nothing was written; one that nobody here knows is returned as it is. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  if (code === '53100') return storageFull(error);
  if (code === '25006') {
    return new AppError('storage-read-only', 'the database does not take writes; nothing was written', {
      ...{ retry: 'safe', retryAfterSeconds: 5, cause: error },
    });
  }
  if (GIVEN_UP.test(code) || (error instanceof Error && error.message === CLIENT_GAVE_UP)) {
    return new AppError('storage-busy', 'the database is busy with other transactions; nothing was written', {
      ...{ retry: 'safe', retryAfterSeconds: 1, cause: error },
    });
  }
  if (isUnreachable(error, code)) {
    return new AppError('not-ready', 'the database cannot be reached; nothing was written', {
      ...{ retry: 'safe', retryAfterSeconds: 1, cause: error },
    });
  }
  return refusalFrom(error);
}

function isUnreachable(error: unknown, code: string): boolean {
  // TypeORM takes a connection that breaks from the work that is using it.
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  return UNREACHABLE.test(code) || (error instanceof Error && error.message.startsWith('Connection terminated'));
}

/**
 * Whether a COMMIT that SQLite refused with this error has certainly not happened, and never will have: then it leaves
 * the transaction open (BUSY), or has written no mark that would make the pages in its log a commit (FULL).
 */
export function isUndoneBySqlite(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_FULL' || codeOf(error).startsWith('SQLITE_BUSY');
}

export function outcomeUnknown(cause: unknown): AppError {
  return new AppError('outcome-unknown', 'the COMMIT failed, and whether it happened cannot be found out now', {
    ...{ retry: 'unknown', cause },
  });
}
