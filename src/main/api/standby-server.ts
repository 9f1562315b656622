import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { AppConfig } from '../../config/index.js';
import { AppError } from '../../kernel/index.js';
import {
  answerProblems,
  closeServing,
  createHttpServer,
  type Echo,
  listenOn,
  notServed,
  type Ready,
  requestIds,
  sendProblem,
  serveEcho,
  serveLive,
  untilPortIsFree,
} from '../../platform/http/index.js';
import type { RunningServer } from '../../platform/nodes/index.js';
import { HttpObserver } from '../../platform/observability/index.js';
import { monotonicMs, packageVersion, systemRandom } from '../../platform/process/index.js';

/** The standby before this one may still be opening, and leaves the port when it listens on PORT. */
const PORT_WITHIN_MS = 10_000;

export interface StandbyOptions {
  readonly http: AppConfig['http'];
  readonly port: number;
  readonly logger: Logger;
  /** What the process is now: a standby that waits, or an active app that opens. */
  readonly echo: () => Omit<Echo, 'pid'>;
  /** Why a takeover would be slow or is under way; undefined when the process waits and is prepared. */
  readonly notReady: () => string | undefined;
}

/**
 * Listens on STANDBY_PORT and says what the process is, until the app itself listens on PORT. Serves no data. Rejects with
 * `port-taken`, after some seconds in which another standby may leave the port.
 */
export async function serveStandby(options: StandbyOptions): Promise<RunningServer> {
  const { http, port, logger } = options;
  const server = createHttpServer({
    ...http,
    queryNames: {},
    provesCluster: () => false,
    nowMs: monotonicMs,
    newRequestId: requestIds(systemRandom),
    logger,
  });
  const observer = new HttpObserver(logger);
  observer.install(server);
  answerProblems(server, logger);
  server.setNotFoundHandler((request, reply) => sendProblem(reply, request, notServed(request, reply), logger));
  serveAbout(server, observer, options);
  const at = { host: http.host, port };
  await untilPortIsFree(at, PORT_WITHIN_MS);
  const url = await listenOn(port, () => server.listen(at), 'set STANDBY_PORT to a free one');
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => closeServing(server, { close: () => server.close(), answerOpen: () => undefined });
  return { url, close: () => (closing ??= close()) };
}

function serveAbout(server: FastifyInstance, observer: HttpObserver, { echo, notReady }: StandbyOptions): void {
  const about = {
    name: 'Bifolio standby',
    description: 'Waits for the active app to end, then takes its place. It serves no data before.',
    version: packageVersion(),
    links: { live: '/health/live', ready: '/health/ready', echo: '/health/echo', metrics: '/metrics' },
  };
  server.get('/', () => about);
  serveLive(server);
  server.get('/health/ready', { config: { isUncounted: true } }, (): Ready => {
    const reason = notReady();
    if (reason === undefined) return { status: 'ok', details: { standby: { status: 'up' } } };
    const fields = [{ field: 'standby', message: reason }];
    throw new AppError('not-ready', `standby ${reason}`, { retry: 'safe', fields });
  });
  serveEcho(server, echo);
  observer.serve(server);
}
