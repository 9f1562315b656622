import type { FastifyInstance } from 'fastify';
import { AppError } from '../../kernel/index.js';

/** What tells of the process itself, and is answered also before the data may be shown. */
const ABOUT_ITSELF = /^\/(?:$|\?|health\/|metrics|replication\/|docs)/;

/**
 * Holds back everything that shows or changes data until it is known that nothing is missing here: a read before that
 * could be older than one that was answered before, and a write could be lost with a data directory that has to be
 * replaced. Call it before the routes are made.
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

  /** Undefined when it is open. */
  get obstacle(): string | undefined {
    return this.isOpen ? undefined : (this.waitingFor() ?? 'the first data is being put in');
  }

  private refusal(): AppError {
    return new AppError('not-ready', `not yet: ${this.obstacle ?? ''}; nothing was done`, {
      retry: 'safe',
      retryAfterSeconds: 1,
    });
  }
}
