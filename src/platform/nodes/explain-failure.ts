import { isNativeError } from 'node:util/types';
import { type ErrorCode, isAppError } from '../../kernel/index.js';

/** A directory of this installation, and where the setting that names it comes from. */
export interface NamedDirectory {
  readonly directory: string;
  readonly source: string;
}

/** With these a person first wants to know which directory is meant: it need not be the one that they think of. */
const ABOUT_A_DIRECTORY: readonly ErrorCode[] = [
  'data-corrupt',
  'data-directory-locked',
  'directory-unusable',
  'recovery-needed',
  'storage-busy',
  'storage-full',
  'storage-read-only',
];

/**
 * The line that says why a process cannot go on: code, what is wrong, where. The whole stack where the error is a bug. Of
 * several in `where` it names the one that the message is about, else the first.
 */
export function explainFailure(error: unknown, where: readonly NamedDirectory[] = []): string {
  const { code, message, stack } = failureText(error);
  if (code === undefined) return stack;
  const place = where.find(({ directory }) => message.includes(directory)) ?? where[0];
  const isToBeNamed = place && ABOUT_A_DIRECTORY.includes(code);
  return `${code}: ${message}${isToBeNamed ? ` [${place.directory}: ${place.source}]` : ''}`;
}

function failureText(error: unknown): { readonly code?: ErrorCode; readonly message: string; readonly stack: string } {
  if (isAppError(error)) return { code: error.code, message: error.message, stack: '' };
  if (!isNativeError(error)) return { message: '', stack: String(error) };
  const { code, path } = error as NodeJS.ErrnoException;
  const { message, stack = message } = error;
  if (code === 'ENOSPC') return { code: 'storage-full', message, stack };
  // The message of the file system names the file.
  return path === undefined ? { message, stack } : { code: 'directory-unusable', message, stack };
}
