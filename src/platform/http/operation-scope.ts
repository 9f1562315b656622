import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { withoutOrigin } from './request-target.js';

const PARAMETER = /:(\w+)/g;

/**
 * Identifies what one Idempotency-Key covers: the caller, the method, and the route with decoded parameters, so that every
 * spelling of a target is equal. It is a hash, so that long paths or keys do not lengthen records.
 */
export function scopeOf(request: FastifyRequest, key: string): string {
  const { caller, method, routeOptions, params } = request;
  return hash([caller, method, routeOptions.url ?? pathOf(request), params ?? {}, key]);
}

/** The scopes that earlier versions wrote, with the path as sent and as most clients send it. Their records still count. */
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
