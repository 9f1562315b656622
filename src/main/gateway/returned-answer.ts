import type { AnswerHead } from './answer-head.js';

/** Up to here an answer is held until it is whole, so that the request can be repeated when its process dies in the middle. */
export const HELD_ANSWER_BYTES = 256 * 1024;

const CONTENT_LENGTH = 'content-length';

/** Whether the client gets each part of the answer as it comes: it is long, or it is a stream that says so. */
export function isPassedThrough({ lengthBytes = 0, isStream }: AnswerHead): boolean {
  return isStream || lengthBytes > HELD_ANSWER_BYTES;
}

/** Names and values in turn, for the client. `length`: of a body that is whole; a head that says it itself keeps it. */
export function returnedHeaders({ lines, lengthBytes, status }: AnswerHead, length?: number): readonly string[] {
  const hasLength = length === undefined || lengthBytes !== undefined || status === 204 || status === 304;
  return hasLength ? lines : [...lines, CONTENT_LENGTH, String(length)];
}
