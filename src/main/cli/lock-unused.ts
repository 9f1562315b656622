import { AppError, isAppError } from '../../kernel/index.js';
import { SUPERVISOR_LOCK } from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';

/** Runs `work` while nothing else can use the data directory. Throws `data-directory-locked` when something does. */
export async function withUnused<T>(dataDirectory: string, work: () => Promise<T>): Promise<T> {
  const locks = [SUPERVISOR_LOCK, undefined].map((file) => lockUnused(dataDirectory, file));
  try {
    return await work();
  } finally {
    locks.forEach((lock) => {
      lock.release();
    });
  }
}

function lockUnused(dataDirectory: string, file: string | undefined): DataDirectoryLock {
  try {
    return DataDirectoryLock.acquire(dataDirectory, file);
  } catch (cause) {
    if (!isAppError(cause, 'data-directory-locked')) throw cause;
    throw new AppError('data-directory-locked', `Bifolio runs on ${dataDirectory}: "npm stop" it first`, {
      retry: 'safe',
      cause,
    });
  }
}
