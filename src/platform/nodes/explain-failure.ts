import { isNativeError } from 'node:util/types';
import { type ErrorCode, isAppError } from '../../kernel/index.js';

/** A directory of this installation, and the origin of the setting that names it. */
export interface NamedDirectory {
  readonly directory: string;
  readonly source: string;
}

/** For these codes the line adds the directory, because it may not be the one that the person expects. */
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
 * The line that says why a process cannot go on: code, problem, place. A bug gets its whole stack. From several directories in
 * `where`, the line names the one in the message, else the first.
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
  // The file system's message names the file.
  return path === undefined ? { message, stack } : { code: 'directory-unusable', message, stack };
}
