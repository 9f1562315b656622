import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const BUCKETS_SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1];
const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const;

interface TierCounts {
  readonly hits: number;
  readonly misses: number;
  readonly errors?: number;
}

/** Counts the reads of each tier of a cache. */
export function countCacheReads(
  registry: Registry,
  cache: { readonly memoryCounts: TierCounts; readonly sharedCounts: TierCounts | undefined; readonly loads: number },
): void {
  new Counter({
    name: 'bifolio_cache_reads_total',
    help: 'Reads of books that a tier of the cache, or the database, answered (hit), did not have (miss), and calls of it that failed (error).',
    labelNames: ['tier', 'result'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [tier, counts] of [
        ['memory', cache.memoryCounts],
        ['redis', cache.sharedCounts],
        ['database', { hits: cache.loads, misses: 0 }],
      ] as const) {
        this.inc({ tier, result: 'hit' }, counts?.hits ?? 0);
        this.inc({ tier, result: 'miss' }, counts?.misses ?? 0);
        this.inc({ tier, result: 'error' }, counts?.errors ?? 0);
      }
    },
  });
}

interface ObservedNode {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly skipped: number;
  readonly state: keyof typeof BREAKER;
}

/** Counts the calls of each Redis node, and shows its breaker. Returns what times a call that the node answered. */
export function observeRedis(
  registry: Registry,
  known: () => Iterable<ObservedNode>,
): (node: string, seconds: number) => void {
  const registers = [registry];
  new Counter({
    name: 'bifolio_redis_calls_total',
    help: 'Reads of a Redis node by result (hit, miss), and all calls that failed (error) or were left out while it is (skipped).',
    labelNames: ['node', 'result'],
    registers,
    collect() {
      this.reset();
      for (const { name: node, hits, misses, errors, skipped } of known()) {
        this.inc({ node, result: 'hit' }, hits);
        this.inc({ node, result: 'miss' }, misses);
        this.inc({ node, result: 'error' }, errors);
        this.inc({ node, result: 'skipped' }, skipped);
      }
    },
  });
  new Gauge({
    name: 'bifolio_redis_breaker',
    help: 'Whether calls go to a Redis node: 0 closed (they do), 1 half-open (one tries it), 2 open (none).',
    labelNames: ['node'],
    registers,
    collect() {
      this.reset();
      for (const { name: node, state } of known()) this.set({ node }, BREAKER[state]);
    },
  });
  const durations = new Histogram({
    name: 'bifolio_redis_call_duration_seconds',
    help: 'Time from a call to the answer of the Redis node.',
    labelNames: ['node'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const series = new Map<string, { observe(seconds: number): void }>();
  return (node, seconds) => {
    let ofNode = series.get(node);
    if (ofNode === undefined) series.set(node, (ofNode = durations.labels(node)));
    ofNode.observe(seconds);
  };
}
