import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { withoutOrigin } from './request-target.js';

const PARAMETER = /:(\w+)/g;

/**
 * What one Idempotency-Key is one key for: the caller, the method, and the route with its parameters as the router has
 * decoded them, so that every spelling of one target is the same. A hash, so that neither long paths nor long keys make
 * records long.
 */
export function scopeOf(request: FastifyRequest, key: string): string {
  const { caller, method, routeOptions, params } = request;
  return hash([caller, method, routeOptions.url ?? pathOf(request), params ?? {}, key]);
}

/**
 * How earlier versions wrote that scope, with the path as it was sent: also with the path as most clients send it. A
 * record of theirs counts for as long as every other.
 */
export function earlierScopesOf(request: FastifyRequest, key: string): readonly string[] {
  const { caller, method } = request;
  const paths = new Set([pathOf(request), plainPathOf(request)]);
  return [...paths].map((path) => hash([caller, method, path, key]));
}

function pathOf({ url }: FastifyRequest): string {
  return url.replace(/\?.*$/, '').replace(/\/$/, '');
}

function plainPathOf(request: FastifyRequest): string {
  const { url } = request.routeOptions;
  if (url === undefined) return withoutOrigin(pathOf(request));
  const params = request.params as Readonly<Record<string, string>>;
  return url.replace(PARAMETER, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
