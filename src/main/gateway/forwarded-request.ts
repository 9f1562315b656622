import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { namedByConnection } from './answer-head.js';
import type { Message } from './app-socket.js';
import {
  ADDED_KEY_HEADER,
  CLUSTER_HEADER,
  COUNTED_HEADER,
  KEY_MADE_FOR_HEADER,
  withoutOrigin,
} from '../../platform/http/index.js';

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
const OF_THE_GATEWAY = [CLUSTER_HEADER, ADDED_KEY_HEADER, KEY_MADE_FOR_HEADER, COUNTED_HEADER, FORWARDED_FOR];
/** A request with one of these says how long its body is, also when it has none. */
const HAVE_BODIES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const DROPPED: ReadonlySet<string> = new Set([...OF_THE_CONNECTION, ...OF_THE_GATEWAY]);

export interface ForwardedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The lines of the headers that the client sent and that may be passed on. */
  readonly lines: string;
  readonly namesHost: boolean;
  /** Undefined when the client sent none that may be passed on. */
  readonly clientKey: string | undefined;
}

/** What goes on to the app, as the client sent it. Undefined for a target that names no resource, such as `OPTIONS *`. */
export function forwardedRequest(request: IncomingMessage): ForwardedRequest | undefined {
  const path = pathOf(request.url ?? '');
  if (path === undefined) return undefined;
  const named = namedByConnection(request.headers.connection);
  let lines = '';
  let clientKey: string | undefined;
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    const lower = name.toLowerCase();
    if (DROPPED.has(lower) || named?.has(lower) === true) continue;
    if (lower === KEY) clientKey = value;
    lines += `${name}: ${value}\r\n`;
  }
  const namesHost = request.headers.host !== undefined && named?.has('host') !== true;
  return { method: request.method ?? 'GET', path, lines, namesHost, clientKey };
}

export interface Forwarding {
  /** Of the app, for a client that names none. */
  readonly host: string;
  /** Undefined for a read. */
  readonly key: string | undefined;
  readonly isKeyAdded: boolean;
  /** The incarnation of the app that was active when the key was added; undefined when none was. */
  readonly keyMadeFor: string | undefined;
  /** Proves that a process of this installation forwards the request. */
  readonly proof: string;
  readonly address: string;
  /** Undefined when the client has sent one. */
  readonly requestId: string | undefined;
  readonly isCounted: boolean;
}

/** What the app gets. Node has checked each part that the client sent, so none holds a line end. */
export function forwardedMessage(
  { method, path, lines, namesHost }: ForwardedRequest,
  body: Buffer | undefined,
  forwarding: Forwarding,
): Message {
  const { host, key, isKeyAdded, keyMadeFor, proof, address, requestId, isCounted } = forwarding;
  let head = `${method} ${path} HTTP/1.1\r\n${lines}via: ${VIA}\r\n${FORWARDED_FOR}: ${address}\r\n${CLUSTER_HEADER}: ${proof}\r\n`;
  if (!namesHost) head += `host: ${host}\r\n`;
  if (requestId !== undefined) head += `${REQUEST_ID}: ${requestId}\r\n`;
  if (isKeyAdded && key !== undefined) head += `${KEY}: ${key}\r\n${ADDED_KEY_HEADER}: ${proof}\r\n`;
  if (isKeyAdded && keyMadeFor !== undefined) head += `${KEY_MADE_FOR_HEADER}: ${keyMadeFor}\r\n`;
  if (isCounted) head += `${COUNTED_HEADER}: 1\r\n`;
  if (body !== undefined || HAVE_BODIES.has(method)) head += `content-length: ${String(body?.length ?? 0)}\r\n`;
  return { isHead: method === 'HEAD', head: `${head}\r\n`, body };
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
