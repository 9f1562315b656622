import { AppError } from '../../kernel/index.js';

const MAX_REASON_LENGTH = 500;

/** Returns the trimmed text of `--reason`. Throws `validation-failed` when it is empty or too long. */
export function reasonOf(text: string): string {
  const length = [...text.trim()].length;
  if (length >= 1 && length <= MAX_REASON_LENGTH) return text.trim();
  throw new AppError('validation-failed', `--reason must have 1 to ${String(MAX_REASON_LENGTH)} characters`, {
    retry: 'never',
  });
}
