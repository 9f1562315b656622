import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { metricsText } from './metrics-text.js';
import { RepeatedLines } from './repeated-lines.js';
import { loggedTarget } from './logged-target.js';

const READINESS = '/health/ready';
const SLOW_REQUEST_MS = 1_000;
const MS_PER_SECOND = 1_000;
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

type AnsweredRequest = Pick<FastifyRequest, 'id' | 'caller' | 'method' | 'url'>;
type ObserveAnswer = (request: AnsweredRequest, status: number, elapsedMs: number) => void;

interface Observing {
  observe(seconds: number): void;
}

/** Counts and times every request, and logs writes, errors and slow requests. */
export class HttpObserver {
  readonly registry = new Registry();
  private readonly refusals: RepeatedLines;
  private readonly durations: Histogram<'method' | 'route' | 'status'>;

  constructor(private readonly logger: Logger) {
    this.refusals = new RepeatedLines((lines, kind) => {
      logger.info({ ...kind, lines }, 'answered more requests with the same refusal in this second');
    });
    collectDefaultMetrics({ register: this.registry });
    this.durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to its whole answer, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS_SECONDS,
      registers: [this.registry],
    });
  }

  /** Call it before the routes are made: it fixes each route's name in the metrics once, instead of looking it up per request. */
  install(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (options) => {
      const answered = this.observerOf(options.url);
      const own = options.onResponse ?? [];
      options.onResponse = [...(Array.isArray(own) ? own : [own]), hookOf(answered)];
      options.config = { ...options.config, observeAnswer: answered };
    });
    const observeUnrouted = hookOf(this.observerOf('none'));
    fastify.addHook('onResponse', (request, reply, done) => {
      if (request.is404) observeUnrouted(request, reply, done);
      else done();
    });
  }

  /** The body of `/metrics`, as `registry.contentType`. One unreadable metric does not make it reject. */
  metrics(): Promise<string> {
    return metricsText(this.registry, this.logger);
  }

  /** Serves `GET /metrics`. */
  serve(fastify: FastifyInstance): void {
    fastify.get('/metrics', async (_request, reply) =>
      reply.header('content-type', this.registry.contentType).send(await this.metrics()),
    );
  }

  /** A gauge of the writes that arrived whole and have no answer yet, read at collection time. */
  gaugeWrites(admission: { readonly underWay: number }): void {
    new Gauge({
      name: 'http_writes_under_way',
      help: 'Number of writes that arrived whole and have no answer yet.',
      registers: [this.registry],
      collect() {
        this.set(admission.underWay);
      },
    });
  }

  private observerOf(route: string): ObserveAnswer {
    const series = new Map<string, Map<number, Observing>>();
    return (request, status, elapsedMs) => {
      const { method } = request;
      let ofMethod = series.get(method);
      if (!ofMethod) series.set(method, (ofMethod = new Map<number, Observing>()));
      let observing = ofMethod.get(status);
      if (!observing) {
        observing = this.durations.labels(method, route, String(status));
        ofMethod.set(status, observing);
      }
      observing.observe(elapsedMs / MS_PER_SECOND);
      this.log(request, route, status, elapsedMs);
    };
  }

  private log(request: AnsweredRequest, route: string, status: number, elapsedMs: number): void {
    if (status < 500 && elapsedMs < SLOW_REQUEST_MS && READING_METHODS.has(request.method)) return;
    if (status >= 400 && !this.refusals.admits({ route, status })) return;
    const entry = {
      requestId: request.id,
      caller: request.caller,
      method: request.method,
      url: loggedTarget(request.url),
      status,
      ms: Math.round(elapsedMs * 10) / 10,
    };
    // This route exists to report that a process is not ready yet, so its 503 is no error.
    if (status >= 500 && route !== READINESS) this.logger.error(entry, 'answered');
    else this.logger.info(entry, 'answered');
  }
}

function hookOf(answered: ObserveAnswer): (request: FastifyRequest, reply: FastifyReply, done: () => void) => void {
  return (request, reply, done) => {
    answered(request, reply.raw.statusCode, reply.elapsedTime);
    done();
  };
}
