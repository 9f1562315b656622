import type { FastifyInstance } from 'fastify';
import { AppError } from '../../kernel/index.js';
import { isReading } from './access.js';
import { whenAnswered } from './endings.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route itself bounds how many of its requests are under way. */
    hasOwnAdmission?: true;
  }
}

export interface WriteAdmission {
  readonly underWay: number;
}

/**
 * Refuses writes while `max` are under way: when the disk is slower than the clients, waiting would only increase memory and
 * answer times. A write is under way from the arrival of its whole body, so that slow clients block no others, until its answer.
 * Reads are never refused.
 */
export function useWriteAdmission(fastify: FastifyInstance, max: number): WriteAdmission {
  let underWay = 0;
  fastify.addHook('preValidation', (request, reply, done) => {
    if (isReading(request.method) || request.routeOptions.config.hasOwnAdmission === true) {
      done();
      return;
    }
    if (underWay >= max) {
      done(
        new AppError('overloaded', `${String(max)} writes are already in progress; nothing was written`, {
          retry: 'safe',
          retryAfterSeconds: 1,
        }),
      );
      return;
    }
    underWay += 1;
    whenAnswered(request, reply, () => (underWay -= 1));
    done();
  });
  return {
    get underWay() {
      return underWay;
    },
  };
}
