import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { sendProblem } from './problem-answers.js';
import { toAppError } from './problem.js';
import { notServed } from './routes.js';

/** Turns every error of every route, hook and parser into one problem+json answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = toAppError(thrown);
    const told = error.code === 'route-not-found' ? notServed(request, reply) : error;
    void sendProblem(reply, request, told, this.logger);
  }
}
