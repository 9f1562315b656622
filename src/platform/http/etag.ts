import { hash } from 'node:crypto';
import { AppError } from '../../kernel/index.js';

/** A strong validator (RFC 9110, 8.8.3) of the exact bytes that are shown. */
export function etagOf(body: string | Buffer): string {
  return `"${hash('sha1', body, 'base64url')}"`;
}

/** `If-Match`: strong comparison; a weak tag never matches. Absent means no condition. */
export function ifMatchHolds(header: string | undefined, etag: string): boolean {
  if (header === undefined) return true;
  return header.trim() === '*' || tags(header).includes(etag);
}

/** What a write is refused with whose `If-Match` does not hold. `what`: as `book 7`. */
export function otherVersion(what: string): AppError {
  return new AppError('precondition-failed', `${what} is not the version that If-Match names`, { retry: 'never' });
}

/** `If-None-Match`: weak comparison. True when the client's copy is current, so that 304 is the answer. */
export function isNotModified(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag || header.trim() === '*') return true;
  return tags(header).some((tag) => tag.replace(/^W\//, '') === etag);
}

function tags(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}
