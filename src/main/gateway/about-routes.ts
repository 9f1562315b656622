import type { FastifyInstance } from 'fastify';
import { AppError } from '../../kernel/index.js';
import { type Ready, serveEcho, serveLive } from '../../platform/http/index.js';
import type { HttpObserver } from '../../platform/observability/index.js';
import { packageVersion } from '../../platform/process/index.js';
import type { ActiveProcess } from '../../protocols/failover/index.js';

/** The gateway answers these itself, with or without a query; all else goes on to the app. */
const OWN = /^\/(?:(?:health\/(?:live|ready|echo)|metrics)\/?)?(?:\?|$)/;

export function isOwn(target: string): boolean {
  return OWN.test(target);
}

export interface AboutOptions {
  readonly observer: HttpObserver;
  /** Undefined while no process of the app is active. */
  readonly active: () => ActiveProcess | undefined;
}

const LINKS = {
  books: '/books',
  customers: '/customers',
  docs: '/docs',
  openapi: '/docs-json',
  live: '/health/live',
  echo: '/health/echo',
  ready: '/health/ready',
  metrics: '/metrics',
};

export function serveAbout(server: FastifyInstance, { observer, active }: AboutOptions): void {
  const about = {
    name: 'Bifolio gateway',
    description: 'One address for all requests of the app. While the standby takes over, requests wait here.',
    version: packageVersion(),
    links: LINKS,
  };
  server.get('/', () => about);
  serveLive(server);
  serveEcho(server, () => ({ role: 'gateway', state: 'open', epoch: null }));
  server.get('/health/ready', { config: { isUncounted: true } }, (): Ready => {
    const app = active();
    if (app) return { status: 'ok', details: { app: { status: 'up', url: app.url, epoch: app.epoch } } };
    const message = 'is down: no process of the app is active';
    throw new AppError('not-ready', `app ${message}`, { retry: 'safe', fields: [{ field: 'app', message }] });
  });
  observer.serve(server);
}
