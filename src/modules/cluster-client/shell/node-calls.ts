import { type Clock, type CrashSites, parseJson } from '../../../kernel/index.js';
import { type Backoff, backoffMs, retryAfterMs } from '../core/backoff.js';

export const CALL_CRASH_SITES = ['cluster.call.before', 'cluster.call.after'] as const;

export interface CallPorts {
  readonly crashSites: CrashSites;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly chance: () => number;
  /** Resolves after so many milliseconds or later. */
  readonly pause: (ms: number) => Promise<void>;
  /** Milliseconds that only rise. */
  readonly elapsedMs: () => number;
}

export interface CallOptions {
  /** How often a call is tried in all, from 1. */
  readonly attempts: number;
  /** For one attempt to be answered whole, in milliseconds. */
  readonly deadlineMs: number;
  readonly backoff: Backoff;
  readonly apiKey?: string;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface NodeAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined when it is no JSON. */
  readonly body: unknown;
}

/** `mayLand`: an attempt that was not answered, or with a 5xx, may have been carried out or may yet be. */
export type CallEnd =
  | { readonly answer: NodeAnswer; readonly mayLand: boolean }
  | { readonly answer?: undefined; readonly cause: string; readonly mayLand: boolean };

/** What a call has cost so far, over all attempts. */
export interface Spent {
  attempts: number;
  ms: number;
}

const OVERLOADED = 429;
const SERVER_ERROR = 500;
/** No node is waited for longer, whatever its `Retry-After` says. */
const LONGEST_WAIT_MS = 10_000;
/** Steps before a connection is there: when one of them fails, the node has not received a byte. */
const BEFORE_SENDING = new Set(['connect', 'getaddrinfo']);
const NO_CONNECTION_IN_TIME = 'UND_ERR_CONNECT_TIMEOUT';

/**
 * Asks a node until it says something, as often as is allowed: no connection, no answer in time, 5xx and 429 are tried
 * again after exponential backoff with full jitter, or after the `Retry-After` that came with them. Never rejects.
 */
export async function callNode(
  ports: CallPorts,
  options: CallOptions,
  node: string,
  call: Call,
  spent: Spent = { attempts: 0, ms: 0 },
): Promise<CallEnd> {
  let mayLand = false;
  for (let attempt = 1; ; attempt += 1) {
    const startedMs = ports.elapsedMs();
    ports.crashSites.reach('cluster.call.before');
    const end = await callOnce(ports, options, node, call);
    ports.crashSites.reach('cluster.call.after');
    spent.attempts += 1;
    spent.ms += ports.elapsedMs() - startedMs;
    mayLand ||= end.mayLand;
    const isConclusive = end.answer !== undefined && !isTransient(end.answer);
    const waitMs = waitBefore(ports, options, attempt, end);
    if (isConclusive || attempt >= options.attempts || waitMs > LONGEST_WAIT_MS) return { ...end, mayLand };
    await ports.pause(waitMs);
    spent.ms += waitMs;
  }
}

function waitBefore({ chance, clock }: CallPorts, { backoff }: CallOptions, attempt: number, end: CallEnd): number {
  const asked = end.answer && retryAfterMs(end.answer.headers.get('retry-after'), clock.nowMs());
  return Math.max(asked ?? 0, backoffMs(backoff, attempt, chance()));
}

async function callOnce(ports: CallPorts, options: CallOptions, node: string, call: Call): Promise<CallEnd> {
  const { method, path, body, headers } = call;
  try {
    const response = await ports.fetch(`http://${node}${path}`, {
      method,
      headers: {
        ...(options.apiKey !== undefined && { 'x-api-key': options.apiKey }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(options.deadlineMs),
    });
    const answer = { status: response.status, headers: response.headers, body: parse(await response.text()) };
    return { answer, mayLand: answer.status >= SERVER_ERROR };
  } catch (error) {
    return { cause: causeOf(error, options.deadlineMs), mayLand: !isUnsent(error) };
  }
}

function isTransient({ status }: NodeAnswer): boolean {
  return status === OVERLOADED || status >= SERVER_ERROR;
}

/** What an answer says about itself, for people. */
export function saidBy({ status, body }: NodeAnswer): string {
  const { message, detail } = (body ?? {}) as { message?: unknown; detail?: unknown };
  const words = [message, detail].find((text) => typeof text === 'string');
  return `it answered ${String(status)}${words === undefined ? '' : `, "${words}"`}`;
}

function causeOf(error: unknown, deadlineMs: number): string {
  const code = codeOf(error);
  if ((error as Error).name === 'TimeoutError') return `no answer within ${String(deadlineMs)} ms`;
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code !== undefined) return `the connection failed (${code})`;
  const { message, cause } = error as Error;
  return `the call failed (${cause instanceof Error ? cause.message : message})`;
}

function isUnsent(error: unknown): boolean {
  const { code, syscall, errors } = ((error as Error).cause ?? error) as {
    readonly code?: unknown;
    readonly syscall?: unknown;
    readonly errors?: readonly { readonly syscall?: unknown }[];
  };
  if (code === NO_CONNECTION_IN_TIME) return true;
  // A name that has several addresses: all of them were tried.
  return (errors ?? [{ syscall }]).every((one) => BEFORE_SENDING.has(String(one.syscall)));
}

function codeOf(error: unknown): string | undefined {
  const { code } = ((error as Error).cause ?? error) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
