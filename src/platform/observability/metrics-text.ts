import type { Logger } from 'pino';
import { Gauge, Registry } from 'prom-client';

const COLLECTED_WITHIN_MS = 2_000;
const SEPARATOR = '\n\n';

/** All metrics in Prometheus text format. Those that fail or are late are only named in `bifolio_metrics_collector_failed`. */
export async function metricsText(registry: Registry, logger: Logger, withinMs = COLLECTED_WITHIN_MS): Promise<string> {
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const told = await Promise.allSettled(names.map((name) => inTime(registry.getSingleMetricAsString(name), withinMs)));
  const failures = new Registry();
  const failed = new Gauge({
    name: 'bifolio_metrics_collector_failed',
    help: '1 for each metric that this answer could not read.',
    labelNames: ['collector'],
    registers: [failures],
  });
  told.forEach((one, place) => {
    if (one.status === 'fulfilled') return;
    const collector = names[place] ?? '';
    failed.set({ collector }, 1);
    logger.error({ collector, err: one.reason as unknown }, 'a metric could not be read');
  });
  const texts = told.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return [...texts, await failures.metrics()].join(SEPARATOR);
}

async function inTime<T>(task: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it took longer than ${String(withinMs)} ms`));
    }, withinMs);
  });
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
  }
}
