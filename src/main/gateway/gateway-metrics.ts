import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Exchange, Outcome } from './exchange.js';

const MS_PER_SECOND = 1_000;
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Observing {
  observe(seconds: number): void;
}

export interface GatewayGauges {
  readonly held: () => number;
  readonly isActive: () => boolean;
}

/** What this gateway forwarded, and how it ended. */
export class GatewayMetrics {
  private readonly durations: Histogram<'method' | 'status'>;
  private readonly series = new Map<string, Observing>();
  private readonly unanswered: Counter<'outcome'>;
  private readonly repeats: Counter;

  constructor(registry: Registry, gauges: GatewayGauges) {
    const registers = [registry];
    this.durations = new Histogram({
      name: 'gateway_request_duration_seconds',
      help: 'Time from a forwarded request, with its body, to its whole answer, by method and status.',
      labelNames: ['method', 'status'],
      buckets: BUCKETS_SECONDS,
      registers,
    });
    this.unanswered = new Counter({
      name: 'gateway_unanswered_requests_total',
      help: 'Number of requests that the app has not answered, by what their clients got instead.',
      labelNames: ['outcome'],
      registers,
    });
    this.repeats = new Counter({
      name: 'gateway_repeated_requests_total',
      help: 'Number of times that a request was sent again because its process was lost.',
      registers,
    });
    new Gauge({
      name: 'gateway_held_requests',
      help: 'Number of requests that wait for an active app.',
      registers,
      collect() {
        this.set(gauges.held());
      },
    });
    new Gauge({
      name: 'gateway_app_active',
      help: '1 while this gateway knows an active app.',
      registers,
      collect() {
        this.set(gauges.isActive() ? 1 : 0);
      },
    });
  }

  repeated(): void {
    this.repeats.inc();
  }

  ended({ method, status, beganMs }: Exchange, outcome: Outcome, nowMs: number): void {
    if (outcome !== 'answered') {
      this.unanswered.inc({ outcome });
      return;
    }
    const name = `${knownMethod(method)} ${String(status)}`;
    let observing = this.series.get(name);
    if (!observing) {
      observing = this.durations.labels(knownMethod(method), String(status));
      this.series.set(name, observing);
    }
    observing.observe((nowMs - beganMs) / MS_PER_SECOND);
  }
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH']);

/** Clients choose the method; the number of series is bounded. */
function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other';
}
