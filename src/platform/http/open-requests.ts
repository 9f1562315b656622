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
    /** What it is answered with when the process stops before it ends; undefined: that nothing was done. */
    atStop: ((request: FastifyRequest) => Answer | AppError) | undefined;
  }
  interface FastifyContextConfig {
    /** Its handler has answered when it returns: a stop never meets such a request. */
    isAnsweredAtOnce?: true;
  }
}

/** The requests that came whole and have no answer yet. */
export interface OpenRequests {
  /** Answers each now, with what it has said itself, else what `answerOf` says. What its handler sends later goes nowhere. */
  answerAll(answerOf?: (request: FastifyRequest) => Answer | AppError): void;
}

interface Open {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export function useOpenRequests(server: FastifyInstance, logger: Logger, shape?: ProblemShape): OpenRequests {
  // Slots that are used again, and no Map: with every so many requests a Map leaves its table for a new one, and a table
  // that has become old keeps alive, until the next full collection, what it held and all the tables after it.
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
