import { AppError, type ErrorCode, isAppError, storageFull } from '../../kernel/index.js';

/** SQLite's symbolic result code (`SQLITE_FULL`, `SQLITE_IOERR_FSYNC`); undefined when the error is not SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

/** What a statement that failed before its commit means to the caller: nothing was written. Others are returned as they are. */
export function refusalFrom(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === 'SQLITE_FULL') return storageFull(error);
  if (code?.startsWith('SQLITE_BUSY') === true || code?.startsWith('SQLITE_LOCKED') === true) {
    return new AppError('storage-busy', 'another program holds the database; nothing was written', {
      retry: 'safe',
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (code?.startsWith('SQLITE_READONLY') === true) {
    return new AppError('storage-read-only', 'the database file cannot be written; nothing was written', {
      retry: 'safe',
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  return error;
}

/** Whether the file, or the disk below it, does not give back what was written. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:NOTADB|CORRUPT|IOERR)/.test(sqliteCode(error) ?? '');
}

/** What it means to a person when this file cannot be opened, and what to do. Others are returned as they are. */
export function refusalToOpen(error: unknown, file: string): unknown {
  if (isDamage(error)) {
    return new AppError('data-corrupt', `${file}: ${String((error as Error).message)}`, {
      retry: 'never',
      cause: error,
    });
  }
  const refusal = refusalFrom(error);
  const advice = isAppError(refusal) ? WHAT_TO_DO[refusal.code] : undefined;
  if (advice === undefined) return refusal;
  return new AppError((refusal as AppError).code, `${file} ${advice}; nothing was written`, {
    retry: 'safe',
    cause: error,
  });
}

const WHAT_TO_DO: Readonly<Partial<Record<ErrorCode, string>>> = {
  'storage-busy': 'is held by another program: close that (a SQLite shell, a backup tool), then try again',
  'storage-read-only': 'cannot be written: see to its owner, mode and mount, then try again',
};
