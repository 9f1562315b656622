import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError, isAppError } from '../../kernel/index.js';
import type { Answer } from './answer.js';
import { sendAnswer } from './answers.js';
import { whenAnswered } from './endings.js';
import type { ProblemShape } from './problem.js';
import { sendProblem } from './problem-answers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The answer when the process stops before the request ends; undefined: the error that nothing was done. */
    atStop: ((request: FastifyRequest) => Answer | AppError) | undefined;
  }
  interface FastifyContextConfig {
    /** The handler has answered by the time it returns, so a stop never meets such a request. */
    isAnsweredAtOnce?: true;
  }
}

/** The requests that have arrived whole and have no answer yet. */
export interface OpenRequests {
  /** Answers each request now, with its own `atStop` or else with `answerOf`. Whatever its handler sends later is dropped. */
  answerAll(answerOf?: (request: FastifyRequest) => Answer | AppError): void;
}

interface Open {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export function useOpenRequests(server: FastifyInstance, logger: Logger, shape?: ProblemShape): OpenRequests {
  // Reused slots instead of a Map: a growing Map replaces its table again and again, and a table in the old generation keeps its
  // content, and all later tables, alive until the next full collection.
  const open: (Open | undefined)[] = [];
  const free: number[] = [];
  server.decorateRequest('atStop', undefined);
  server.addHook('preValidation', (request, reply, done) => {
    if (request.routeOptions.config.isAnsweredAtOnce === true) {
      done();
      return;
    }
    const slot = free.pop() ?? open.length;
    open[slot] = { request, reply };
    whenAnswered(request, reply, () => {
      open[slot] = undefined;
      free.push(slot);
    });
    done();
  });
  return {
    answerAll: (answerOf = shuttingDown) => {
      for (const one of [...open]) {
        if (one === undefined || one.reply.sent) continue;
        const { request, reply } = one;
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
