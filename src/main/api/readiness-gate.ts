import type { FastifyInstance } from 'fastify';
import { AppError } from '../../kernel/index.js';

const ABOUT_ITSELF = /^\/(?:$|\?|health\/|metrics|replication\/|docs)/;

/**
 * Blocks all data requests until it is known that nothing is missing: a read before that could be older than an earlier answer,
 * and a write could be lost with a data directory that has to be replaced. Create the gate before the routes.
 */
export class ReadinessGate {
  private isOpen = false;

  constructor(
    server: FastifyInstance,
    private readonly waitingFor: () => string | undefined,
  ) {
    server.addHook('onRequest', (request, _reply, done) => {
      if (this.isOpen || ABOUT_ITSELF.test(request.url)) done();
      else done(this.refusal());
    });
  }

  open(): void {
    this.isOpen = true;
  }

  get obstacle(): string | undefined {
    return this.isOpen ? undefined : (this.waitingFor() ?? 'the first data is being written');
  }

  private refusal(): AppError {
    return new AppError('not-ready', `not ready: ${this.obstacle ?? ''}; nothing was done`, {
      retry: 'safe',
      retryAfterSeconds: 1,
    });
  }
}
