import { AppError } from '../../kernel/index.js';

/** The refusal `reserved` for whoever asked. `what`: as he calls the document. */
export function reservedDocument(what: string): AppError {
  return new AppError('conflict', `a transaction that is not decided yet is at work on ${what}`, {
    retry: 'safe',
    retryAfterSeconds: 1,
  });
}
