import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { GatewayConfig } from '../../config/index.js';
import {
  answerProblems,
  closeServing,
  createHttpServer,
  LISTEN_BACKLOG,
  listenOn,
  notServed,
  refusalOfHost,
  requestIds,
  sendProblem,
  useOpenRequests,
} from '../../platform/http/index.js';
import { appUrlsOf, getJson, type RunningServer } from '../../platform/nodes/index.js';
import { HttpObserver, logPort } from '../../platform/observability/index.js';
import { monotonicMs, systemClock, systemRandom, systemTimers, uuids } from '../../platform/process/index.js';
import { type Echo, ECHO_PATH, echoSchema } from '../../protocols/failover/index.js';
import { type ClusterProof, openClusterProof } from '../../protocols/replication/index.js';
import { isOwn, serveAbout } from './about-routes.js';
import { ActiveApp } from './active-app.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { Requests } from './requests.js';

const ECHO_WITHIN_MS = 1_000;
const LOOK_FOR_LATE_EVERY_MS = 50;

/** Listens, and forwards requests to the active app. It keeps no data. Rejects with one AppError when it cannot. */
export async function startGateway(config: GatewayConfig, logger: Logger): Promise<RunningServer> {
  const log = logPort(logger);
  const proof = await openClusterProof(config, log);
  const observer = new HttpObserver(logger);
  const newRequestId = requestIds(systemRandom);
  const server = createHttpServer({
    ...config.http,
    requestsPerMinute: undefined,
    provesCluster: proof.isProvedBy,
    nowMs: monotonicMs,
    newRequestId,
    logger,
  });
  observer.install(server);
  const openRequests = useOpenRequests(server, logger);
  answerProblems(server, logger);
  server.setNotFoundHandler((request, reply) => sendProblem(reply, request, notServed(request, reply), logger));
  const app = new ActiveApp({
    ...{ urls: appUrlsOf(config, monotonicMs), echo: echoAt, timers: systemTimers, log, pingMs: config.pingMs },
    isReady: () => proof.known() !== undefined,
    found: () => {
      requests.goOn();
    },
  });
  const metrics = new GatewayMetrics(observer.registry, {
    held: () => requests.held,
    isActive: () => app.current !== undefined,
  });
  const requests = new Requests({
    ...{ limits: config.limits, passwordLimits: config.passwordLimits, nowMs: monotonicMs, app, proof, newRequestId },
    refusalOfHost: refusalOfHost(config.http.servedHosts),
    corsOrigins: config.http.corsOrigins,
    newKey: uuids({ clock: systemClock, random: systemRandom }),
    repeats: () => {
      metrics.repeated();
    },
    ended: (exchange, outcome) => {
      metrics.ended(exchange, outcome, monotonicMs());
    },
  });
  serveAbout(server, { observer, active: () => (app.isEchoing ? app.current?.process : undefined) });
  forwardAllElse(server, (request, response) => {
    requests.receive(request, response);
  });
  app.start();
  const late = setInterval(() => {
    requests.timePassed();
  }, LOOK_FOR_LATE_EVERY_MS);
  const { host, port } = config.http;
  const close = async (): Promise<void> => {
    await closeServing(server, {
      close: () => server.close(),
      answerOpen: () => {
        requests.stop();
        openRequests.answerAll();
      },
    });
    clearInterval(late);
    endLooking(app, proof);
  };
  const wayOut = 'set GATEWAY_PORT to a free one';
  const url = await listenOn(
    port,
    () => server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port, backlog: LISTEN_BACKLOG }),
    wayOut,
  ).catch((error: unknown) => {
    clearInterval(late);
    endLooking(app, proof);
    throw error;
  });
  let closing: Promise<void> | undefined;
  return { url, close: () => (closing ??= close()) };
}

function endLooking(app: ActiveApp, proof: ClusterProof): void {
  app.close();
  proof.close();
}

async function echoAt(url: string): Promise<Echo | undefined> {
  const answer = await getJson(`${url}${ECHO_PATH}`, { timeoutMs: ECHO_WITHIN_MS });
  return echoSchema.safeParse(answer?.body).data;
}

/**
 * Takes requests before Fastify sees them, because its routes and hooks would cost a forwarded request more than the rest of this
 * process does.
 */
function forwardAllElse(
  { server }: FastifyInstance,
  forward: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const routed = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!isOwn(request.url ?? '')) forward(request, response);
    else for (const route of routed) route(request, response);
  });
}
