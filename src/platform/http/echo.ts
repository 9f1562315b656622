import type { FastifyInstance } from 'fastify';
import type { Echo, Live } from './openapi/about.js';

export type { Echo };

const OPEN = { config: { permission: 'open', isUncounted: true } } as const;

/** Serves `GET /health/live`. */
export function serveLive(server: FastifyInstance): void {
  server.get('/health/live', OPEN, (): Live => ({ status: 'ok', pid: process.pid }));
}

/**
 * Serves `GET /health/echo`, by which a monitor sees that the event loop of this process turns. It needs no key, touches no store
 * and is never refused: a process that waits for a disk or for replicas still echoes.
 */
export function serveEcho(server: FastifyInstance, echo: () => Omit<Echo, 'pid'>): void {
  let isDraining = false;
  server.addHook('preClose', (done) => {
    isDraining = true;
    done();
  });
  server.get('/health/echo', OPEN, (): Echo => ({
    pid: process.pid,
    ...echo(),
    ...(isDraining && { state: 'draining' }),
  }));
}
