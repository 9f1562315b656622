import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../../kernel/index.js';
import { problemHeaders, problemOf, type ProblemShape } from './problem.js';
import { STATUS_OF } from './status.js';

/** By the `code` of Node's error; anything else is not an HTTP request. */
const DETAILS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'the headers are larger than 16 KiB',
};
const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT';

/** Node's internal view of a connection. */
interface HttpSocket {
  readonly _httpMessage?: ServerResponse | null;
  /** `incoming` is the request that is arriving, or arrived last. */
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

/** The answer that the connection currently owes; undefined when it owes none. */
export function owedOn(socket: Socket): ServerResponse | undefined {
  return (socket as HttpSocket)._httpMessage ?? undefined;
}

const slowly = new WeakSet<Socket>();

/** Exempts a request from the general body deadline until it is answered, because the request has its own deadline. */
export function mayArriveSlowly(request: FastifyRequest, reply: FastifyReply): void {
  const { socket } = request.raw;
  slowly.add(socket);
  reply.raw.once('close', () => slowly.delete(socket));
}

/**
 * Answers bytes that never became a request and so have no reply object. Earlier requests on the connection are answered first,
 * because the refusal must not be taken for their answer.
 */
export function answerUnparsable(
  error: Error & { readonly code?: string },
  socket: Socket,
  requestId: string,
  shape?: ProblemShape,
): void {
  const isSlow = error.code === TOO_SLOW;
  if (isSlow && slowly.has(socket)) return;
  const owed = owedOn(socket);
  const { parser } = socket as HttpSocket;
  // No client waits when the answer preceded the whole request, or on an unused connection.
  const isAnswered = !owed && parser?.incoming?.complete === false;
  if (!socket.writable || socket.destroyed || (isSlow && (isAnswered || socket.bytesRead === 0))) {
    socket.destroy();
    return;
  }
  if (owed?.req.complete === true) {
    owed.once('finish', () => {
      setImmediate(answerUnparsable, error, socket, requestId, shape);
    });
    return;
  }
  const refusal = isSlow ? tooSlow() : malformed(DETAILS[error.code ?? ''] ?? 'this is not an HTTP/1.1 request');
  const body = JSON.stringify(problemOf(refusal, '/', shape));
  const headers = {
    ...problemHeaders(refusal),
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = STATUS_OF[refusal.code];
  socket.end([`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n'));
}

function tooSlow(): AppError {
  return new AppError('request-timeout', 'the request did not arrive in time; nothing was done', { retry: 'safe' });
}

/** Node refuses unknown expectations with an empty body; a server may ignore them (RFC 9110, 10.1.1). */
export function ignoreExpectations({ server }: FastifyInstance): void {
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response);
  });
}

function malformed(detail: string): AppError {
  return new AppError('malformed-request', detail, { retry: 'never' });
}
