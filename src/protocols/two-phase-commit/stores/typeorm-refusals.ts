import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { AppError, storageFull } from '../../../kernel/index.js';
import { refusalFrom } from '../../../platform/sql/index.js';

/** Codes of PostgreSQL and of Node's sockets: the server is absent or accepts no connection. */
const UNREACHABLE = /^(?:08\d{3}|57P0[123]|53300|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|PROTOCOL_CONNECTION_LOST)$/;

/** Codes of PostgreSQL: it ended the transaction in favour of another one, or because it took too long. */
const GIVEN_UP = /^(?:40001|40P01|55P03|57014|25P0[34])$/;

/** The message of `pg` when its `query_timeout` has passed. */
const CLIENT_GAVE_UP = 'Query read timeout';

/** TypeORM copies the code from the driver's error. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** The refusal for an error that wrote nothing; returns an unknown error unchanged. */
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
  // TypeORM takes away a connection that breaks while it is in use.
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  return UNREACHABLE.test(code) || (error instanceof Error && error.message.startsWith('Connection terminated'));
}

/**
 * Whether a COMMIT that SQLite refused with this error certainly never happens: either the transaction stays open (BUSY), or the
 * log has no mark that would make its pages a commit (FULL).
 */
export function isUndoneBySqlite(error: unknown): boolean {
  return codeOf(error) === 'SQLITE_FULL' || codeOf(error).startsWith('SQLITE_BUSY');
}

export function outcomeUnknown(cause: unknown): AppError {
  return new AppError('outcome-unknown', 'the COMMIT failed, and its outcome is not known now', {
    ...{ retry: 'unknown', cause },
  });
}
