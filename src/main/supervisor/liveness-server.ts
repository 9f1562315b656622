import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';

/**
 * Answers `GET /health/live` with this process's pid, on any free port of this machine, so that `npm stop` never takes
 * another program that was given the pid of an earlier supervisor for this one. Resolves with the address.
 */
export function serveLiveness(): Promise<string> {
  const server = createServer((request, response) => {
    const isKnown = request.method === 'GET' && request.url === '/health/live';
    const body = isKnown
      ? { status: 'ok', pid: process.pid }
      : { title: 'Not found', status: 404, code: 'route-not-found' };
    const type = isKnown ? 'application/json' : 'application/problem+json';
    response.writeHead(isKnown ? 200 : 404, { 'content-type': type, connection: 'close' }).end(JSON.stringify(body));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, () => {
      resolve(`http://${HOST}:${String((server.address() as AddressInfo).port)}`);
    });
  });
}
