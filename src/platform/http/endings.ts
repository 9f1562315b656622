import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Tasks to run when the request is answered. */
    endings: (() => void)[] | undefined;
  }
}

/** Enables `whenAnswered` for the requests of this server. */
export function useEndings(server: FastifyInstance): void {
  server.decorateRequest('endings', undefined);
  // Not onResponse: it never comes for a client that hung up, although the handler's work goes on to its end.
  server.addHook('onSend', (request, _reply, payload, done) => {
    end(request);
    done(null, payload);
  });
}

/** Runs `task` once, when the request is answered by any means, even if its client hung up earlier. */
export function whenAnswered(request: FastifyRequest, reply: FastifyReply, task: () => void): void {
  if (request.endings) {
    request.endings.push(task);
    return;
  }
  request.endings = [task];
  // A handler that took over the reply sends nothing through Fastify.
  reply.raw.once('close', () => {
    if (reply.sent) end(request);
  });
}

function end(request: FastifyRequest): void {
  request.endings?.splice(0).forEach((task) => {
    task();
  });
}
