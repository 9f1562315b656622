import type { FastifyInstance } from 'fastify';
import type { AppError } from '../../kernel/index.js';
import { isReading } from './access.js';

/** Refuses every write, before any work, while there is a reason to. Reads go on. */
export function useWriteStop(fastify: FastifyInstance, refusal: () => AppError | undefined): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(isReading(request.method) ? undefined : refusal());
  });
}
