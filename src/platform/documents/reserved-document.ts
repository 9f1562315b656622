import { AppError } from '../../kernel/index.js';

/** Builds the `conflict` refusal for a reserved document; `what` is the caller's name for the document. */
export function reservedDocument(what: string): AppError {
  return new AppError('conflict', `a transaction that is not decided yet holds ${what}`, {
    retry: 'safe',
    retryAfterSeconds: 1,
  });
}
