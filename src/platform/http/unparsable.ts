import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../../kernel/index.js';
import { problemHeaders, problemOf, type ProblemShape } from './problem.js';

/** By the `code` of Node's error; anything else is not an HTTP request. */
const DETAILS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'the headers are larger than 16 KiB',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive in time',
};

/**
 * Answers bytes that never became a request, for which there is no reply object to send with. Requests before them on
 * the same connection are answered first: the refusal must not be taken for theirs.
 */
export function answerUnparsable(
  error: Error & { readonly code?: string },
  socket: Socket,
  requestId: string,
  shape?: ProblemShape,
): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const { _httpMessage: owed } = socket as { readonly _httpMessage?: ServerResponse | null };
  if (owed?.req.complete === true) {
    owed.once('finish', () => {
      setImmediate(answerUnparsable, error, socket, requestId, shape);
    });
    return;
  }
  const refusal = malformed(DETAILS[error.code ?? ''] ?? 'this is not an HTTP/1.1 request');
  const body = JSON.stringify(problemOf(refusal, '/', shape));
  const headers = {
    ...problemHeaders(refusal),
    'x-request-id': requestId,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(['HTTP/1.1 400 Bad Request', ...lines, '', body].join('\r\n'));
}

/**
 * Node answers two kinds of request by itself, with an empty body: HTTP/1.1 without Host, which is refused here
 * instead, and an expectation it does not know, which a server may ignore (RFC 9110, 10.1.1).
 */
export function useProblemsForWhatNodeRefuses(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const lacksHost = request.raw.httpVersion === '1.1' && request.headers.host === undefined;
    done(lacksHost ? malformed('an HTTP/1.1 request needs a Host header') : undefined);
  });
  fastify.server.on('checkExpectation', (request, response) => {
    fastify.server.emit('request', request, response);
  });
}

function malformed(detail: string): AppError {
  return new AppError('malformed-request', detail, { retry: 'never' });
}
