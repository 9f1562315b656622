import { AppError } from '../../kernel/index.js';
import type { Ending, HoldingLimits } from '../../protocols/failover/index.js';

const MS_PER_SECOND = 1_000;

/** No process can have done it. */
export function undone(why: Ending, limits: HoldingLimits): AppError {
  const code = why === 'stopping' ? 'shutting-down' : 'not-ready';
  return new AppError(code, `${reasonOf(why, limits)}; nothing was done`, { retry: 'safe', retryAfterSeconds: 1 });
}

export function reasonOf(why: Ending, { holdMs, activeMs }: HoldingLimits): string {
  switch (why) {
    case 'held':
      return `the gateway found no active app for ${seconds(holdMs)} seconds`;
    case 'slow':
      return `the app did not answer within ${seconds(activeMs)} seconds`;
    case 'losing':
      return 'the app broke the connection in the middle of the answer several times';
    case 'stopping':
      return 'this gateway is stopping';
  }
}

function seconds(milliseconds: number): string {
  return String(milliseconds / MS_PER_SECOND);
}
