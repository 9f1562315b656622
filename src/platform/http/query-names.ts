import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/index.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route hands requests on to another process, which judges their queries and routes. */
    isForwarding?: true;
  }
}

/** The query names that each route reads, by its registered path. A path that is absent reads none. */
export type QueryNames = Readonly<Record<string, readonly string[]>>;

export const PAGE_QUERIES = ['limit', 'after'] as const;

/** Documentation pages and files accept any query, because clients add one to bypass browser caches. */
const DOCUMENTATION = '/docs';
const MAX_QUOTED_NAME_LENGTH = 100;

/** Refuses a query name that the route does not read: a misspelt name would silently change the answer. */
export function useQueryNames(server: FastifyInstance, names: QueryNames): void {
  server.addHook('onRequest', (request, _reply, done) => {
    done(request.url.includes('?') ? refusalOf(request, names) : undefined);
  });
}

function refusalOf({ query, routeOptions }: FastifyRequest, names: QueryNames): AppError | undefined {
  const { url = '', config } = routeOptions;
  if (url.startsWith(DOCUMENTATION) || config.isForwarding === true) return undefined;
  const known = names[url] ?? [];
  const unknown = Object.keys(query as object).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  const field = unknown.slice(0, MAX_QUOTED_NAME_LENGTH) || 'query';
  const message = known.length > 0 ? `is not a known query; known are ${known.join(', ')}` : 'is not a known query';
  return new AppError('validation-failed', `${field} ${message}`, { retry: 'never', fields: [{ field, message }] });
}
