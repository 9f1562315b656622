import { type Clock, type CrashSites, isAppError, parseJson } from '../../../kernel/index.js';
import type { NodeAnswer as RawAnswer, NodeClient } from '../../../platform/node-client/index.js';
import { type Backoff, backoffMs, retryAfterMs } from '../core/backoff.js';

export const CALL_CRASH_SITES = ['cluster.call.before', 'cluster.call.after'] as const;

export interface CallPorts {
  readonly crashSites: CrashSites;
  readonly call: NodeClient['call'];
  readonly clock: Clock;
  /** Returns at least 0 and less than 1. */
  readonly chance: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** A monotonic clock. */
  readonly elapsedMs: () => number;
}

export interface CallOptions {
  /** The maximum number of attempts, from 1; when absent, only patience limits them. */
  readonly attempts?: number;
  /** The deadline for the whole answer to one attempt. */
  readonly deadlineMs: number;
  /** No attempt begins later than this after the first one. */
  readonly patienceMs: number;
  readonly backoff: Backoff;
  readonly apiKey?: string;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface NodeAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when the body is not JSON. */
  readonly body: unknown;
  readonly isEmpty?: boolean;
  /** The target of a redirect that was not followed. */
  readonly sentTo?: string;
}

/** `mayLand`: an attempt without an answer, or answered by a proxy, may have been carried out or may be later. */
export type CallEnd =
  | { readonly answer: NodeAnswer; readonly mayLand: boolean }
  | { readonly answer?: undefined; readonly cause: string; readonly mayLand: boolean };

/** Totals over all attempts of a call. */
export interface Spent {
  attempts: number;
  ms: number;
}

const OVERLOADED = 429;
const SERVER_ERROR = 500;
/** The node has ended the request without success. A proxy may send other errors while the node still works on the request. */
const BROKEN = new Set([SERVER_ERROR, 501]);
const TOO_SLOW = 408;
/** Redirects that keep the method and the body. */
const REDIRECTS = new Set([307, 308]);

/**
 * Calls a node until it gives a final answer or patience ends. Connection failures, timeouts, 429, 408 and 5xx are retried after
 * exponential backoff with full jitter, or after the `Retry-After` of the answer. A write answered with 500 or 501 has ended, and
 * is not retried. Never rejects.
 */
export async function callNode(
  ports: CallPorts,
  options: CallOptions,
  node: string,
  call: Call,
  spent: Spent = { attempts: 0, ms: 0 },
): Promise<CallEnd> {
  const beganMs = ports.elapsedMs();
  const { attempts = Infinity, patienceMs } = options;
  let mayLand = false;
  for (let attempt = 1; ; attempt += 1) {
    const startedMs = ports.elapsedMs();
    ports.crashSites.reach('cluster.call.before');
    const end = await callOnce(ports, options, node, call);
    ports.crashSites.reach('cluster.call.after');
    spent.attempts += 1;
    spent.ms += ports.elapsedMs() - startedMs;
    mayLand ||= end.mayLand;
    const isConclusive = end.answer !== undefined && !isTransient(end.answer, call);
    const leftMs = patienceMs - (ports.elapsedMs() - beganMs);
    const waitMs = waitBefore(ports, options, attempt, end, leftMs);
    if (isConclusive || attempt >= attempts || leftMs <= 0 || waitMs > leftMs) return { ...end, mayLand };
    await ports.pause(waitMs);
    spent.ms += waitMs;
  }
}

/** The wait stays within the remaining patience, unless the node asks for a longer one: an earlier call would be futile. */
function waitBefore(
  { chance, clock }: CallPorts,
  { backoff }: CallOptions,
  attempt: number,
  end: CallEnd,
  leftMs: number,
): number {
  const asked = end.answer && retryAfterMs(end.answer.headers.get('retry-after'), clock.nowMs());
  return Math.max(asked ?? 0, Math.min(backoffMs(backoff, attempt, chance()), leftMs));
}

async function callOnce(ports: CallPorts, options: CallOptions, node: string, call: Call): Promise<CallEnd> {
  const { method, path, body, headers } = call;
  const origin = `http://${node}`;
  const request = {
    method,
    headers: {
      ...(options.apiKey !== undefined && { 'x-api-key': options.apiKey }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    // A node that does not know operation ids may do a write twice.
    isRepeatable: method === 'GET',
  };
  const deadlineMs = ports.elapsedMs() + options.deadlineMs;
  try {
    let raw = await ports.call(origin, { ...request, path }, options.deadlineMs);
    let sentTo = targetOf(raw, origin + path);
    // Follows only a redirect to the same server, once, as for a trailing slash; another server is not the named node.
    if (sentTo !== undefined && sentTo.origin === new URL(origin).origin) {
      const leftMs = Math.max(1, deadlineMs - ports.elapsedMs());
      raw = await ports.call(origin, { ...request, path: sentTo.pathname + sentTo.search }, leftMs);
      sentTo = targetOf(raw, sentTo.href);
    }
    const answer = answerIn(raw, sentTo);
    return { answer, mayLand: answer.status === TOO_SLOW || (answer.status > SERVER_ERROR && !isBroken(answer)) };
  } catch (error) {
    return { cause: (error as Error).message, mayLand: !isAppError(error) || error.retry !== 'safe' };
  }
}

function answerIn({ status, headers, body }: RawAnswer, sentTo: URL | undefined): NodeAnswer {
  const text = new TextDecoder().decode(body);
  return {
    status,
    headers: new Headers(Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])),
    ...{ body: parse(text), isEmpty: text === '' },
    ...(sentTo !== undefined && { sentTo: sentTo.href }),
  };
}

function targetOf({ status, headers: { location } }: RawAnswer, url: string): URL | undefined {
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, url)) return undefined;
  return new URL(location, url);
}

/** Whether the node says that it failed and has ended the request. */
export function isBroken({ status }: NodeAnswer): boolean {
  return BROKEN.has(status);
}

function isTransient(answer: NodeAnswer, { method }: Call): boolean {
  const { status } = answer;
  if (isBroken(answer)) return method === 'GET';
  return status === OVERLOADED || status === TOO_SLOW || status >= SERVER_ERROR;
}

export function saidBy({ status, body, sentTo }: NodeAnswer): string {
  const { message, detail } = (body ?? {}) as { message?: unknown; detail?: unknown };
  const words = [message, detail].find((text) => typeof text === 'string');
  const elsewhere = sentTo === undefined ? '' : ` and sends to ${sentTo}, which is not followed`;
  return `it answered ${String(status)}${elsewhere}${words === undefined ? '' : `, "${words}"`}`;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
