import { AppError, isAppError } from '../../kernel/index.js';
import { SUPERVISOR_LOCK } from '../../platform/nodes/index.js';
import { DataDirectoryLock } from '../../platform/process/index.js';

/** Runs `work` with exclusive use of the data directory. Throws `data-directory-locked` when another process holds it. */
export function withUnused<T>(dataDirectory: string, work: () => Promise<T>): Promise<T> {
  return withLocks(dataDirectory, [SUPERVISOR_LOCK, undefined], work);
}

/** The same for a replica's directory, which has no supervisor of its own. */
export function withUnusedReplica<T>(directory: string, work: () => Promise<T>): Promise<T> {
  return withLocks(directory, [undefined], work);
}

async function withLocks<T>(
  directory: string,
  files: readonly (string | undefined)[],
  work: () => Promise<T>,
): Promise<T> {
  const locks = files.map((file) => lockUnused(directory, file));
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
    throw new AppError('data-directory-locked', `Bifolio is running on ${dataDirectory}: stop it with "npm stop"`, {
      retry: 'safe',
      cause,
    });
  }
}
