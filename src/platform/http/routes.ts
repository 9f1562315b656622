import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import findMyWay from 'find-my-way';
import { AppError } from '../../kernel/index.js';
import { withoutOrigin } from './request-target.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods that some route serves at `url`; none for a path with an empty segment. */
    methodsServing(url: string): readonly string[];
  }
}

/** Path matching options, for both the server and the lookup of a path's methods. */
export const ROUTER_OPTIONS = { maxParamLength: 1_024, ignoreTrailingSlash: true } as const;

/**
 * Refuses unserved requests as soon as the head arrives: 405 with `Allow` where the path serves other methods, otherwise 404. The
 * router ignores one trailing slash; an empty segment matches nothing. Call it after the hooks for every request, and before any
 * route is registered.
 */
export function useRouteRules(server: FastifyInstance): void {
  const router = findMyWay(ROUTER_OPTIONS);
  const methods = new Set<string>();
  const seen = new Set<string>();
  server.addHook('onRoute', ({ method, url }) => {
    const path = url.length > 1 ? url.replace(/\/$/, '') : url;
    for (const each of [method].flat()) {
      const route = `${each} ${path}`;
      if (path.startsWith('/*') || seen.has(route)) continue;
      seen.add(route);
      methods.add(each);
      router.on(each as 'GET', path, () => undefined);
    }
  });
  server.decorate('methodsServing', (url: string) =>
    hasEmptySegment(url) ? [] : [...methods].filter((method) => router.find(method as 'GET', url) !== null).sort(),
  );
  server.addHook('onRequest', (request, reply, done) => {
    done(request.is404 || hasEmptySegment(request.url) ? notServed(request, reply) : undefined);
  });
}

/** The refusal of a request that no route serves. Sets `Allow` where other methods are served. */
export function notServed(request: FastifyRequest, reply: FastifyReply): AppError {
  const { method, url, server } = request;
  const allowed = server.methodsServing(url);
  if (allowed.length === 0 || allowed.includes(method)) {
    return new AppError('route-not-found', `no route serves ${method} ${url}: GET / lists the routes`, {
      retry: 'never',
    });
  }
  const allow = allowed.join(', ');
  reply.header('allow', allow);
  return new AppError('method-not-allowed', `${url} does not allow ${method}: use ${allow}`, { retry: 'never' });
}

function hasEmptySegment(url: string): boolean {
  if (!url.includes('//')) return false;
  return pathOf(url).includes('//');
}

function pathOf(url: string): string {
  const path = withoutOrigin(url);
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}
