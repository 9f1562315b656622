import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerUnparsable } from '../../platform/http/index.js';

const HOST = '127.0.0.1';
/** It is asked one short thing by programs on this machine. */
const MOST_CONNECTIONS = 100;
const LIMITS = {
  headersTimeout: 2_000,
  requestTimeout: 2_500,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 4_096,
};

/**
 * Answers `GET /health/live` with this process's pid, on any free port of this machine, so that `npm stop` never takes
 * another program that was given the pid of an earlier supervisor for this one. Resolves with the address.
 */
export function serveLiveness(): Promise<string> {
  const server = createServer(LIMITS, (request, response) => {
    const isKnown = request.method === 'GET' && request.url === '/health/live';
    const body = isKnown
      ? { status: 'ok', pid: process.pid }
      : { title: 'Not found', status: 404, code: 'route-not-found' };
    const type = isKnown ? 'application/json' : 'application/problem+json';
    response.writeHead(isKnown ? 200 : 404, { 'content-type': type, connection: 'close' }).end(JSON.stringify(body));
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', (error, socket) => {
    answerUnparsable(error, socket as Socket, randomUUID());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, () => {
      resolve(`http://${HOST}:${String((server.address() as AddressInfo).port)}`);
    });
  });
}
