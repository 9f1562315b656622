import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '../../kernel/index.js';
import { answerUnparsable, problemHeaders, problemOf, refusalOfHost } from '../../platform/http/index.js';

const HOST = '127.0.0.1';
const MAX_CONNECTIONS = 100;
const LIMITS = {
  headersTimeout: 2_000,
  requestTimeout: 2_500,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 4_096,
};

/**
 * Answers `GET /health/live` with this process's pid on any free local port, so that `npm stop` never mistakes another program
 * with the pid of an earlier supervisor for this one. When there are too many connections, the oldest is closed: every answer is
 * immediate, so that connection is idle.
 */
export function serveLiveness(): Promise<{ readonly url: string; readonly server: Server }> {
  const refusalOf = refusalOfHost(new Set());
  const server = createServer(LIMITS, (request, response) => {
    const target = request.url ?? '/';
    const isKnown = request.method === 'GET' && target === '/health/live';
    const refusal = refusalOf(request) ?? (isKnown ? undefined : unknownTarget(target));
    const problem = refusal && problemOf(refusal, target);
    const headers = refusal ? problemHeaders(refusal) : { 'content-type': 'application/json' };
    const body = JSON.stringify(problem ?? { status: 'ok', pid: process.pid });
    const always = {
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
      connection: 'close',
    };
    response.writeHead(problem?.status ?? 200, { ...headers, ...always }).end(body);
  });
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size > MAX_CONNECTIONS) open.values().next().value?.destroy();
  });
  server.on('clientError', (error, socket) => {
    answerUnparsable(error, socket as Socket, randomUUID());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, () => {
      resolve({ url: `http://${HOST}:${String((server.address() as AddressInfo).port)}`, server });
    });
  });
}

function unknownTarget(target: string): AppError {
  return new AppError('route-not-found', `nothing answers ${target}; GET /health/live does`, { retry: 'never' });
}
