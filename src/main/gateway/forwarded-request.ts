import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ADDED_KEY_HEADER, CLUSTER_HEADER, COUNTED_HEADER, withoutOrigin } from '../../platform/http/index.js';

const KEY = 'idempotency-key';
const FORWARDED_FOR = 'x-forwarded-for';
const REQUEST_ID = 'x-request-id';
const VIA = '1.1 bifolio';

/** They belong to one connection (RFC 9110, 7.6.1), or to the body, which is sent whole. */
const OF_THE_CONNECTION = [
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'content-length'],
];
/** Only the gateway itself says these things to the app. */
const OF_THE_GATEWAY = [CLUSTER_HEADER, ADDED_KEY_HEADER, COUNTED_HEADER, FORWARDED_FOR];
const DROPPED: ReadonlySet<string> = new Set([...OF_THE_CONNECTION, ...OF_THE_GATEWAY]);

export interface ForwardedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn, without those of the gateway. */
  readonly headers: string[];
  /** Undefined when the client sent none that may be passed on. */
  readonly clientKey: string | undefined;
}

/** What goes on to the app, as the client sent it. Undefined for a target that names no resource, such as `OPTIONS *`. */
export function forwardedRequest(request: IncomingMessage): ForwardedRequest | undefined {
  const path = pathOf(request.url ?? '');
  if (path === undefined) return undefined;
  const named = namedByConnection(request.headers.connection);
  const headers: string[] = [];
  let clientKey: string | undefined;
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    const lower = name.toLowerCase();
    if (DROPPED.has(lower) || named?.has(lower) === true) continue;
    if (lower === KEY) clientKey = value;
    headers.push(lower, value);
  }
  return { method: request.method ?? 'GET', path, headers, clientKey };
}

export interface Forwarding {
  /** Undefined for a read. */
  readonly key: string | undefined;
  readonly isKeyAdded: boolean;
  /** Proves that a process of this installation forwards the request. */
  readonly proof: string;
  readonly address: string;
  /** Undefined when the client has sent one. */
  readonly requestId: string | undefined;
  readonly isCounted: boolean;
}

/** The headers that the app gets. */
export function forwardedHeaders({ headers }: ForwardedRequest, forwarding: Forwarding): string[] {
  const { key, isKeyAdded, proof, address, requestId, isCounted } = forwarding;
  const all = [...headers, 'via', VIA, FORWARDED_FOR, address, CLUSTER_HEADER, proof];
  if (requestId !== undefined) all.push(REQUEST_ID, requestId);
  if (isKeyAdded && key !== undefined) all.push(KEY, key, ADDED_KEY_HEADER, proof);
  if (isCounted) all.push(COUNTED_HEADER, '1');
  return all;
}

/** The address that the request comes from. Only a process of this installation may name another one. */
export function addressOf({ headers, socket }: IncomingMessage, isFromCluster: boolean): string {
  const named = isFromCluster ? headers[FORWARDED_FOR] : undefined;
  return typeof named === 'string' && isIP(named) !== 0 ? named : (socket.remoteAddress ?? '');
}

function pathOf(target: string): string | undefined {
  const path = withoutOrigin(target);
  if (path.startsWith('/')) return path;
  return path === '' || path.startsWith('?') ? `/${path}` : undefined;
}

/** In lower case: headers that `Connection` names belong to the connection as well. Undefined: none. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || /^(?:keep-alive|close)$/i.test(connection)) return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}
