import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

const SLOW_REQUEST_MS = 1_000;
const MS_PER_SECOND = 1_000;
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

interface Observing {
  observe(seconds: number): void;
}

/** Counts and times every request, and logs writes, errors and slow requests. */
export class HttpObserver {
  readonly registry = new Registry();
  private readonly durations: Histogram<'method' | 'route' | 'status'>;
  private readonly series = new Map<string, Observing>();

  constructor(private readonly logger: Logger) {
    collectDefaultMetrics({ register: this.registry });
    this.durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to its whole answer, by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS_SECONDS,
      registers: [this.registry],
    });
  }

  install(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      this.observe(request, reply);
      done();
    });
  }

  private observe(request: FastifyRequest, reply: FastifyReply): void {
    const status = reply.raw.statusCode;
    const elapsedMs = reply.elapsedTime;
    const route = request.routeOptions.url ?? 'none';
    this.seriesOf(request.method, route, status).observe(elapsedMs / MS_PER_SECOND);
    if (status < 500 && elapsedMs < SLOW_REQUEST_MS && READING_METHODS.has(request.method)) return;
    const entry = {
      requestId: request.id,
      caller: request.caller,
      method: request.method,
      url: request.url,
      status,
      ms: Math.round(elapsedMs * 10) / 10,
    };
    if (status >= 500) this.logger.error(entry, 'answered');
    else this.logger.info(entry, 'answered');
  }

  private seriesOf(method: string, route: string, status: number): Observing {
    const key = `${method} ${route} ${String(status)}`;
    const known = this.series.get(key);
    if (known) return known;
    const made = this.durations.labels(method, route, String(status));
    this.series.set(key, made);
    return made;
  }
}
