import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** To be run when it has its answer. */
    endings: (() => void)[] | undefined;
  }
}

/** Lets `whenAnswered` be called for the requests of this server. */
export function useEndings(server: FastifyInstance): void {
  server.decorateRequest('endings', undefined);
  // Not onResponse: it never comes for a client that hung up, whose work goes on until its handler answers nobody.
  server.addHook('onSend', (request, _reply, payload, done) => {
    end(request);
    done(null, payload);
  });
}

/** Runs `task` once: when the request is answered, by whatever, also when its client hung up before. */
export function whenAnswered(request: FastifyRequest, reply: FastifyReply, task: () => void): void {
  if (request.endings) {
    request.endings.push(task);
    return;
  }
  request.endings = [task];
  // A handler that took the reply over sends nothing through Fastify.
  reply.raw.once('close', () => {
    if (reply.sent) end(request);
  });
}

function end(request: FastifyRequest): void {
  request.endings?.splice(0).forEach((task) => {
    task();
  });
}
