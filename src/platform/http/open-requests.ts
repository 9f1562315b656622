import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Answer, AppError, isAppError } from '../../kernel/index.js';
import { sendAnswer } from './answers.js';
import { whenAnswered } from './endings.js';
import type { ProblemShape } from './problem.js';
import { sendProblem } from './problem-answers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What it is answered with when the process stops before it ends; undefined: that nothing was done. */
    atStop: ((request: FastifyRequest) => Answer | AppError) | undefined;
  }
}

/** The requests that came whole and have no answer yet, but for those on the short ways out. */
export interface OpenRequests {
  /** Answers each now, with what it has said itself, else what `answerOf` says. What its handler sends later goes nowhere. */
  answerAll(answerOf?: (request: FastifyRequest) => Answer | AppError): void;
}

export function useOpenRequests(server: FastifyInstance, logger: Logger, shape?: ProblemShape): OpenRequests {
  const open = new Map<FastifyRequest, FastifyReply>();
  server.decorateRequest('atStop', undefined);
  server.addHook('preValidation', (request, reply, done) => {
    open.set(request, reply);
    whenAnswered(request, reply, () => open.delete(request));
    done();
  });
  return {
    answerAll: (answerOf = shuttingDown) => {
      for (const [request, reply] of [...open]) {
        if (reply.sent) continue;
        const answer = (request.atStop ?? answerOf)(request);
        reply.header('connection', 'close');
        if (isAppError(answer)) sendProblem(reply, request, answer, logger, shape);
        else sendAnswer(reply, answer);
      }
    },
  };
}

export function shuttingDown(): AppError {
  return new AppError('shutting-down', 'this process is stopping; nothing was done', {
    retry: 'safe',
    retryAfterSeconds: 1,
  });
}
