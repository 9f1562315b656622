import { AppError, type ErrorCode, isAppError, storageFull } from '../../kernel/index.js';

/** SQLite's symbolic result code (`SQLITE_FULL`, `SQLITE_IOERR_FSYNC`); undefined for errors of another origin. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

/** Translates an error of a statement before its commit, when nothing was written. Other errors are returned unchanged. */
export function refusalFrom(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === 'SQLITE_FULL') return storageFull(error);
  if (code?.startsWith('SQLITE_BUSY') === true || code?.startsWith('SQLITE_LOCKED') === true) {
    return new AppError('storage-busy', 'another program has locked the database; nothing was written', {
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

/** Whether the file, or the disk below it, does not return what was written. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:NOTADB|CORRUPT|IOERR)/.test(sqliteCode(error) ?? '');
}

/** Explains to a person why this file cannot be opened, and what to do. Other errors are returned unchanged. */
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
  'storage-busy': 'is locked by another program: close that program (an SQLite shell, a backup tool), then try again',
  'storage-read-only': 'cannot be written: check its owner, mode and mount, then try again',
};
