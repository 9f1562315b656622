import { AppError, type ProcessControl } from '../../kernel/index.js';

/** Stops the process and returns the error for the request that noticed. */
export function stopAsSuperseded(process: ProcessControl, what: string): AppError {
  const error = new AppError('superseded', what, { retry: 'unknown' });
  process.stop('another process has taken over the database', error);
  return error;
}
