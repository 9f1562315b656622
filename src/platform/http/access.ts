import type { FastifyRequest } from 'fastify';
import { AppError, type Permission, type Role, ROLES_WITH } from '../../kernel/index.js';
import { type ServedHosts, isServed } from './host.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The permission that a caller needs. Absent: `read` for GET, HEAD and OPTIONS, `write` otherwise. `open` needs none; with
     * `cluster` the route checks the cluster's secret itself.
     */
    permission?: Permission | 'open' | 'cluster';
  }
}

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function isReading(method: string): boolean {
  return READING_METHODS.has(method);
}

/** When keys are configured, the key decides what its holder may do. */
export function refusalOfKey({ routeOptions, method, apiKey }: FastifyRequest): AppError | undefined {
  const needed = routeOptions.config.permission ?? (isReading(method) ? 'read' : 'write');
  if (needed === 'open' || needed === 'cluster') return undefined;
  if (!apiKey) return unauthorized();
  const roles: readonly Role[] = ROLES_WITH[needed];
  return roles.includes(apiKey.role)
    ? undefined
    : forbidden(`this request needs the role ${roles.join(' or ')}, but the key has the role ${apiKey.role}`);
}

/** Without keys, everyone on this machine may do everything, but pages of other sites may not write through a browser. */
export function refusalOfPage(
  { headers, method }: FastifyRequest,
  served: ServedHosts,
  corsOrigins: ReadonlySet<string>,
): AppError | undefined {
  if (isReading(method)) return undefined;
  const { origin } = headers;
  const isForeign =
    origin === undefined
      ? headers['sec-fetch-site'] === 'cross-site'
      : !corsOrigins.has(origin) && (headers['sec-fetch-site'] === 'cross-site' || !isOwnPage(origin, served));
  return isForeign
    ? forbidden('a page of another web site may write only when CORS_ORIGINS names its origin')
    : undefined;
}

function isOwnPage(origin: string, served: ServedHosts): boolean {
  const [, host] = /^https?:\/\/([^/]+)$/i.exec(origin) ?? [];
  return host !== undefined && isServed(host, served);
}

export function unauthorized(): AppError {
  return new AppError('unauthorized', 'send a valid API key as X-Api-Key or Authorization: Bearer', { retry: 'never' });
}

function forbidden(detail: string): AppError {
  return new AppError('forbidden', detail, { retry: 'never' });
}
