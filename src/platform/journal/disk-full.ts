import { AppError } from '../../kernel/index.js';

export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function storageFull(cause: unknown): AppError {
  return new AppError('storage-full', 'no room left on the disk; nothing was written', {
    retry: 'safe',
    retryAfterSeconds: 5,
    cause,
  });
}
