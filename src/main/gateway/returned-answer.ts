import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { namedByConnection } from './forwarded-request.js';

/** Up to here an answer is held until it is whole, so that the request can be repeated when its process dies in the middle. */
export const HELD_ANSWER_BYTES = 256 * 1024;

const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
]);
const CONTENT_LENGTH = 'content-length';
const EVENT_STREAM = 'text/event-stream';

/** The head of an answer of the app. */
export interface AnswerHead {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders;
  readonly raw: Dispatcher.DispatchController['rawHeaders'];
}

/** Whether the client gets each part of the answer as it comes: it is long, or it is a stream that says so. */
export function isPassedThrough({ headers }: AnswerHead): boolean {
  if (Number(headers[CONTENT_LENGTH] ?? 0) > HELD_ANSWER_BYTES) return true;
  return headers['x-accel-buffering'] === 'no' || headers['content-type']?.startsWith(EVENT_STREAM) === true;
}

/** Names and values in turn, for the client. `length`: of a body that is whole; a head that says it itself keeps it. */
export function returnedHeaders({ headers, raw, status }: AnswerHead, length?: number): string[] {
  const more = namedByConnection(headers.connection);
  const all: string[] = [];
  const lines = (Array.isArray(raw) ? raw : []) as readonly (Buffer | string)[];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = textOf(lines[index]);
    const lower = name.toLowerCase();
    if (OF_THE_CONNECTION.has(lower) || more?.has(lower) === true) continue;
    all.push(name, textOf(lines[index + 1]));
  }
  const hasLength = headers[CONTENT_LENGTH] !== undefined || status === 204 || status === 304;
  if (length !== undefined && !hasLength) all.push(CONTENT_LENGTH, String(length));
  return all;
}

/** Header values are bytes; Node writes them as it reads them. */
function textOf(bytes: Buffer | string | undefined): string {
  return typeof bytes === 'string' ? bytes : (bytes?.toString('latin1') ?? '');
}
