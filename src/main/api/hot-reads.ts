import type { INestApplicationContext } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { BookReads, serveBookReads } from '../../modules/books/index.js';
import { answerProblems } from '../../platform/http/index.js';

/**
 * Serves hot reads directly from Fastify, because Nest's router costs as much as the rest of such a read. Nest still finds and
 * documents the controller's methods. Call the returned function with the application before listening.
 */
export async function admitHotReads(
  server: FastifyInstance,
  logger: Logger,
): Promise<(app: INestApplicationContext) => void> {
  let books: BookReads | undefined;
  await server.register((context, _options, done) => {
    answerProblems(context, logger);
    serveBookReads(context, () => {
      if (!books) throw new Error('the application has not been created yet');
      return books;
    });
    done();
  });
  return (app) => {
    books = app.get(BookReads, { strict: false });
  };
}

/** Registers only the GET routes that the server does not answer already. */
export class YieldingAdapter extends FastifyAdapter {
  constructor(private readonly server: FastifyInstance) {
    super(server as never);
  }

  override get(...route: unknown[]): ReturnType<FastifyAdapter['get']> {
    const [path] = route;
    if (typeof path === 'string' && this.server.hasRoute({ method: 'GET', url: path })) return this.server;
    return super.get(...route);
  }
}
