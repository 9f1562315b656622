import type { FastifyInstance } from 'fastify';
import { AppError } from '../../kernel/index.js';
import { isReading } from './access.js';

declare module 'fastify' {
  interface FastifyRequest {
    isAdmittedWrite: boolean;
  }
}

/**
 * Refuses writes while `most` are under way: when the disk is slower than the clients, waiting would only make memory
 * and answer times grow. Reads are never refused.
 */
export function useWriteAdmission(fastify: FastifyInstance, most: number): void {
  let underWay = 0;
  fastify.decorateRequest('isAdmittedWrite', false);
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (isReading(request.method)) {
      done();
      return;
    }
    if (underWay >= most) {
      done(
        new AppError('overloaded', `${String(most)} writes are under way; nothing was written`, {
          retry: 'safe',
          retryAfterSeconds: 1,
        }),
      );
      return;
    }
    underWay += 1;
    request.isAdmittedWrite = true;
    done();
  });
  // Not onResponse: it never comes for a client that hung up, and its place would be lost for good.
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    if (request.isAdmittedWrite) underWay -= 1;
    request.isAdmittedWrite = false;
    done(null, payload);
  });
}
