import { AppError } from '../../kernel/index.js';

/** The other side had closed a kept-alive connection, most likely before the request arrived. */
export class StaleConnection extends AppError {}

/** Why a call has no answer, in one line. `retry: 'safe'`: no byte was sent. The cause is the connection's error. */
export function callError(error: Error, isSent: boolean, isStale: boolean): AppError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return unsent('connection refused: nothing is listening there', error);
  const codeText = code === undefined ? '' : ` (${code})`;
  if (!isSent) return unsent(`no connection${codeText}: ${error.message}`, error);
  const message = `the connection broke${codeText}: ${error.message}`;
  return new (isStale ? StaleConnection : AppError)('outcome-unknown', message, { retry: 'unknown', cause: error });
}

export function lateError(timeoutMs: number, isSent: boolean): AppError {
  const inTime = `within ${String(Math.ceil(timeoutMs))} ms`;
  if (!isSent) return unsent(`no connection ${inTime}`);
  return new AppError('outcome-unknown', `no answer ${inTime}`, { retry: 'unknown' });
}

/** Why a request that was sent twice has no answer; the first sending may have arrived. */
export function secondError(error: unknown): unknown {
  if (!(error instanceof AppError) || error.retry !== 'safe') return error;
  const message = `the connection broke, and a new one failed: ${error.message}`;
  return new AppError('outcome-unknown', message, { retry: 'unknown', cause: error.cause });
}

export function unsent(message: string, cause?: Error): AppError {
  return new AppError('not-ready', message, { retry: 'safe', cause });
}
