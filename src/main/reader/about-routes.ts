import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../kernel/index.js';
import { type Ready, serveEcho, serveLive } from '../../platform/http/index.js';
import type { HttpObserver } from '../../platform/observability/index.js';
import { packageVersion } from '../../platform/process/index.js';

export const readerSchema = z
  .object({
    name: z.string().meta({ example: 'Bifolio reader' }),
    description: z
      .string()
      .meta({ example: 'Answers reads of books from the database; forwards the rest to the app.' }),
    version: z.string().meta({ example: '0.1.0' }),
    links: z.record(z.string(), z.string()).meta({ example: { books: '/books', docs: '/docs' } }),
  })
  .meta({ id: 'Reader' });

export interface AboutOptions {
  readonly observer: HttpObserver;
  /** Why nothing may be read; undefined while all is well. */
  readonly problem: () => string | undefined;
  readonly cache: { redis(): Promise<string> };
}

const DATABASE = 'sql-read';

export function serveAbout(server: FastifyInstance, { observer, problem, cache }: AboutOptions): void {
  const about: z.infer<typeof readerSchema> = {
    name: 'Bifolio reader',
    description: 'Answers reads of books from the database; forwards the rest to the app.',
    version: packageVersion(),
    links: {
      books: '/books',
      docs: '/docs',
      openapi: '/docs-json',
      live: '/health/live',
      echo: '/health/echo',
      ready: '/health/ready',
      metrics: '/metrics',
    },
  };
  server.get('/', () => about);
  serveLive(server);
  serveEcho(server, () => ({ role: 'reader', state: 'open', epoch: null }));
  server.get('/health/ready', { config: { isUncounted: true } }, async (): Promise<Ready> => {
    const found = problem();
    if (found === undefined) {
      const redis = await cache.redis();
      return { status: 'ok', details: { [DATABASE]: { status: 'up' }, cache: { status: 'up', redis } } };
    }
    const message = `is down: ${found}`;
    const fields = [{ field: DATABASE, message }];
    throw new AppError('not-ready', `${DATABASE} ${message}`, { retry: 'safe', fields });
  });
  observer.serve(server);
}
