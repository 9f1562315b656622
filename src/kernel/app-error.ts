/**
 * Whether the same request may be sent again.
 * - `never`: the answer will not change.
 * - `safe`: nothing was written; sending it again is harmless.
 * - `unknown`: it may or may not have been done; ask before sending again.
 */
export type Retry = 'never' | 'safe' | 'unknown';

/** Stable across releases and processes: callers compare codes, never messages. */
export type ErrorCode =
  | 'validation-failed'
  | 'malformed-json'
  | 'malformed-id'
  | 'malformed-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'route-not-found'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'exists'
  | 'conflict'
  | 'too-little-stock'
  | 'too-little-credit'
  | 'credit-held'
  | 'undone'
  | 'overtaken'
  | 'precondition-failed'
  | 'misdirected'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'idempotency-key-reused'
  | 'rate-limited'
  | 'too-many-keys'
  | 'too-many-checkouts'
  | 'too-many-hashes'
  | 'too-many-logins'
  | 'overloaded'
  | 'storage-full'
  | 'storage-busy'
  | 'storage-read-only'
  | 'storage-damaged'
  | 'not-ready'
  | 'too-few-replicas'
  | 'shutting-down'
  | 'outcome-unknown'
  | 'data-corrupt'
  | 'data-directory-locked'
  | 'directory-unusable'
  | 'port-taken'
  | 'superseded'
  | 'recovery-needed'
  | 'misconfigured'
  | 'internal';

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

interface AppErrorOptions {
  readonly retry: Retry;
  readonly fields?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A broken promise or a refused request. It knows nothing of HTTP. */
export class AppError extends Error {
  readonly retry: Retry;
  readonly fields: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: AppErrorOptions,
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.retry = options.retry;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** The command with which an operator accepts the loss of durable data. */
export const ACCEPT_LOSS = 'npm run data:accept-loss -- --reason "..."';

/** The refusal for a full disk, whichever store met it. */
export function storageFull(cause: unknown): AppError {
  return new AppError('storage-full', 'the disk is full; nothing was written', {
    retry: 'safe',
    retryAfterSeconds: 5,
    cause,
  });
}
