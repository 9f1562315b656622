import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptedAnswer, commitOf, JSON_CONTENT_TYPE, problemWithMessage } from '../../../platform/http/index.js';
import type { NodeAnswer, NodeCall, NodeClient } from '../../../platform/node-client/index.js';
import { ActiveApp } from './active-app.js';
import { forward, type ForwardingOptions, returnedHeaders } from './forwarding.js';
import type { ReplicaShell } from './replica-shell.js';

export interface WriteForwardingOptions extends Omit<ForwardingOptions, 'send' | 'forwarder' | 'deadlineMs'> {
  /** Paths of the collections whose documents are written at the primary. */
  readonly paths: readonly string[];
  readonly shell: Pick<ReplicaShell, 'whenAt' | 'followed'>;
  readonly client: Pick<NodeClient, 'call'>;
  /** Where the app and its standby may be, if the primary that this replica follows is not there any more or not known yet. */
  readonly appUrls: readonly string[];
  /** Limit for a write at the primary. */
  readonly writeDeadlineMs: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** Forwards writes to the primary and answers once this replica holds them; also forwards questions about an operation. */
export function serveForwardedWrites(server: FastifyInstance, options: WriteForwardingOptions): void {
  const { shell, client, writeDeadlineMs, nowMs, appUrls } = options;
  const app = new ActiveApp({
    ...{ client, nowMs },
    urls: () => [...new Set([shell.followed?.url ?? [], appUrls].flat())],
    nowhere: 'this replica has not heard from a primary yet',
  });
  const send = (call: NodeCall, timeoutMs: number): Promise<NodeAnswer> => app.call(call, timeoutMs);
  const forwarding = { ...options, send, forwarder: 'this replica', deadlineMs: () => writeDeadlineMs };
  const write = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const deadlineMs = nowMs() + writeDeadlineMs;
    const answer = await forward(request, reply, forwarding);
    const operationId = String(answer.headers['x-operation-id']);
    if (answer.status < 300) request.atStop = () => acceptedAnswer(operationId, 'committed');
    const commit = commitOf(answer.headers['x-commit']);
    if (!commit || answer.status >= 400 || (await shell.whenAt(commit, Math.max(0, deadlineMs - nowMs())))) {
      return answerWith(reply, answer);
    }
    return answerWith(reply, notHereYet(answer));
  };
  for (const path of options.paths) {
    server.post(path, write);
    server.put(`${path}/:id`, write);
    server.delete(`${path}/:id`, write);
  }
  server.get('/operations/:id', async (request, reply) => answerWith(reply, await forward(request, reply, forwarding)));
}

function answerWith(reply: FastifyReply, answer: NodeAnswer): FastifyReply {
  reply.code(answer.status).headers(returnedHeaders(answer));
  if (answer.body.length === 0) return reply.send();
  return reply.send(answer.status < 400 ? answer.body : Buffer.from(problemWithMessage(answer.body.toString())));
}

/** The write is durable at the primary under its write concern, and on its way to this replica. */
function notHereYet(answer: NodeAnswer): NodeAnswer {
  const accepted = acceptedAnswer(String(answer.headers['x-operation-id']), 'committed');
  const { etag: _etag, ...headers } = answer.headers;
  return {
    status: accepted.status,
    headers: { ...headers, 'content-type': JSON_CONTENT_TYPE, ...accepted.headers },
    body: Buffer.from(accepted.body ?? ''),
  };
}
