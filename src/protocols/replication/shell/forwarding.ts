import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ADDED_KEY_RETENTION_MS, AppError, isAppError } from '../../../kernel/index.js';
import {
  ADDED_KEY_HEADER,
  CLUSTER_HEADER,
  COUNTED_HEADER,
  forwardedFor,
  isReading,
  withoutOrigin,
} from '../../../platform/http/index.js';
import type { NodeAnswer, NodeCall } from '../../../platform/node-client/index.js';

export interface ForwardingOptions {
  /** The process that forwards, in messages: `this replica`. */
  readonly forwarder: string;
  /** Calls the primary; rejects as `NodeClient.call` does. The call is repeatable. */
  readonly send: (call: NodeCall, timeoutMs: number) => Promise<NodeAnswer>;
  readonly newKey: () => string;
  /** A proof that only processes of this system know; undefined while this process does not know it. */
  readonly authorization: () => string | undefined;
  /** Whether this process counts requests against the limit of their callers, so that the primary does not count them again. */
  readonly isCounted?: boolean;
  /** Limit for the request with this path at the primary. */
  readonly deadlineMs: (path: string) => number;
}

const KEY = 'idempotency-key';
/** Forwarding may take this much longer than the write itself. */
const FORWARDING_MS = 1_000;
const FORWARDED_HEADERS = [
  'if-match',
  'if-none-match',
  'x-write-concern',
  'x-api-key',
  'authorization',
  'content-type',
  'accept',
];
const RETURNED_HEADERS = [
  ...['content-type', 'location', 'etag', 'x-commit', 'x-replicas-acked', 'x-operation-id', 'idempotency-replayed'],
  ...['retry-after', 'www-authenticate', 'allow', 'link', 'x-total-count', 'idempotency-key'],
];

/**
 * Sends a request on to the primary: a write with the client's Idempotency-Key or else with one of its own, so that a repeat
 * takes effect once. Rejects with the refusal for the client: `not-ready` when the primary was never reached or nothing was to
 * be written, else `outcome-unknown` with the key.
 */
export async function forward(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ForwardingOptions,
): Promise<NodeAnswer> {
  const isRead = isReading(request.method);
  const given = request.headers[KEY];
  const isAdded = typeof given !== 'string';
  const key = isAdded ? options.newKey() : given;
  const unknown = (reason: string): AppError => {
    reply.header(KEY, key);
    return outcomeUnknown(reason, key, isAdded);
  };
  // From here on this process does not know the outcome at the primary.
  if (!isRead) request.atStop = () => unknown(`${options.forwarder} is stopping`);
  try {
    const call = callOf(request, isRead ? undefined : { key, isAdded }, options);
    return await options.send(call, options.deadlineMs(call.path) + FORWARDING_MS);
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (isRead || error.retry === 'safe') throw primaryMissing(options.forwarder, error.message);
    throw unknown(`the primary: ${error.message}`);
  }
}

/** The headers of an answer of the primary that clients get. */
export function returnedHeaders({ headers }: NodeAnswer): Record<string, string> {
  return picked(headers, RETURNED_HEADERS);
}

function callOf(
  request: FastifyRequest,
  write: { readonly key: string; readonly isAdded: boolean } | undefined,
  { authorization, isCounted = false }: ForwardingOptions,
): NodeCall {
  const proof = authorization();
  const headers = {
    ...picked(request.headers, FORWARDED_HEADERS),
    ...(write && { [KEY]: write.key }),
    ...(write?.isAdded === true && proof !== undefined && { [ADDED_KEY_HEADER]: proof }),
    ...(proof !== undefined && { [CLUSTER_HEADER]: proof, ...forwardedFor(request) }),
    ...(isCounted && { [COUNTED_HEADER]: '1' }),
    'x-request-id': request.id,
  };
  const method = (request.method === 'HEAD' ? 'GET' : request.method) as NodeCall['method'];
  return { method, path: withoutOrigin(request.url), headers, body: request.rawBody, isRepeatable: true };
}

function picked(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function primaryMissing(forwarder: string, reason: string): AppError {
  return new AppError('not-ready', `${forwarder} cannot reach the primary: ${reason}; nothing was done`, {
    retry: 'safe',
  });
}

/** What a client is told that does not learn the outcome of its write. `isAdded`: it did not choose the key itself. */
export function outcomeUnknown(reason: string, key: string, isAdded: boolean): AppError {
  const inTime = isAdded ? ` within ${String(ADDED_KEY_RETENTION_MS / 1_000)} seconds` : '';
  const wayOut = `send it again${inTime} with the Idempotency-Key ${key} to learn its outcome`;
  return new AppError('outcome-unknown', `${reason}; ${wayOut}`, { retry: 'unknown' });
}
