import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/index.js';

/** Names and addresses without a port, in lower case; `any` where keys decide who may call. */
export type ServedHosts = 'any' | ReadonlySet<string>;

const HOST = /^(\[[\da-f:.]+\]|[\w.-]*)(?::\d{0,5})?$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i;
const SLASH = 47;

/**
 * Refuses requests for a host name that is not this server's. A page whose name was pointed at this machine (DNS rebinding)
 * counts as same-origin in a browser, and could read everything. The host in the target takes precedence over `Host` (RFC 9112,
 * 3.2). HTTP/1.0 may omit both; no browser speaks it.
 */
export function refusalOfHost(served: ServedHosts): (request: IncomingMessage) => AppError | undefined {
  let lastServed: string | undefined;
  return (request) => {
    const { host } = request.headers;
    if (hostLines(request) > 1) return malformed('a request must have one Host header');
    if (host === undefined && request.httpVersion === '1.1') {
      return malformed('an HTTP/1.1 request needs a Host header');
    }
    const named = authorityOf(request.url ?? '') ?? host;
    if (named === undefined || named === lastServed) return undefined;
    if (!HOST.test(named)) return malformed('Host must be a name or address, with or without a port');
    if (!isServed(named, served)) return misdirected(named);
    lastServed = named;
    return undefined;
  };
}

/** Loopback is always served, on any port. */
export function isServed(host: string, served: ServedHosts): boolean {
  if (served === 'any') return true;
  const name = HOST.exec(host)?.[1]?.toLowerCase().replace(/\.$/, '');
  return name !== undefined && (LOOPBACK.test(name) || served.has(name));
}

function authorityOf(target: string): string | undefined {
  return target.charCodeAt(0) === SLASH ? undefined : AUTHORITY.exec(target)?.[1];
}

/** Node silently keeps only the first of several Host lines. */
function hostLines({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

function misdirected(host: string): AppError {
  const detail = `"${host}" is not served here: call 127.0.0.1 or localhost, or add the name to ALLOWED_HOSTS`;
  return new AppError('misdirected', detail, { retry: 'never' });
}

function malformed(detail: string): AppError {
  return new AppError('malformed-request', detail, { retry: 'never' });
}
