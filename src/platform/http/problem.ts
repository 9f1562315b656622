import { AppError, type ErrorCode, type FieldError, isAppError } from '../../kernel/index.js';
import { STATUS_OF, TITLE_OF } from './status.js';

/** RFC 9457, with the project's stable `code` and, for validation, the fields. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly errors?: readonly FieldError[];
  /** The same as `detail`, for clients that do not know problem details. */
  readonly message?: string;
}

/** What one process's problems add to the common members. */
export interface ProblemShape {
  readonly hasMessage?: boolean;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const DEFAULT_RETRY_AFTER_SECONDS = 1;

export function problemOf(error: AppError, instance: string, { hasMessage = false }: ProblemShape = {}): Problem {
  const status = STATUS_OF[error.code];
  const detail =
    error.code === 'internal' ? 'An unexpected error occurred: find it in the log by its request id.' : error.message;
  return {
    type: `urn:bifolio:problem:${error.code}`,
    title: TITLE_OF[status] ?? 'Error',
    status,
    detail,
    instance,
    code: error.code,
    ...(error.fields.length > 0 && { errors: error.fields }),
    ...(hasMessage && { message: detail }),
  };
}

/**
 * Headers for the status: 503 and 429 always say when to retry, others where it helps. After a refused body the connection stays
 * open: closing it would reset clients that send their whole body before they read.
 */
export function problemHeaders(error: AppError): Record<string, string> {
  const status = STATUS_OF[error.code];
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  const isPassing = status === 503 || status === 429;
  const retryAfterSeconds = error.retryAfterSeconds ?? (isPassing ? DEFAULT_RETRY_AFTER_SECONDS : undefined);
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (status === 413 || error.code === 'overloaded') headers['connection'] = 'keep-alive';
  if (status === 401) headers['www-authenticate'] = 'Bearer, ApiKey';
  return headers;
}

/** Another process's problem in this process's shape; any other text is returned unchanged. */
export function problemWithMessage(text: string): string {
  try {
    const problem = JSON.parse(text) as { readonly detail?: unknown } | null;
    if (typeof problem?.detail !== 'string') return text;
    return JSON.stringify({ ...problem, message: problem.detail });
  } catch {
    return text;
  }
}

/** Converts anything thrown into an AppError: ours unchanged, the framework's by its status, all else as `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (isAppError(thrown)) return thrown;
  const error = thrown as { code?: unknown; statusCode?: unknown; status?: unknown; message?: unknown } | null;
  const status = Number(error?.statusCode ?? error?.status ?? 500);
  const message = typeof error?.message === 'string' ? error.message : 'unknown error';
  const refuse = (code: ErrorCode, detail: string): AppError =>
    new AppError(code, detail, { retry: 'never', cause: thrown });
  switch (status) {
    case 404:
      return refuse('route-not-found', message);
    case 413:
      return refuse('body-too-large', 'a body may be at most 1 MiB');
    case 415:
      return refuse('unsupported-media-type', 'send the body as application/json');
    case 429:
      return refuse('rate-limited', message);
    default:
      return status >= 400 && status < 500
        ? refuse('malformed-request', message)
        : new AppError('internal', message, { retry: 'unknown', cause: thrown });
  }
}
