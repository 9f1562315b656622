import { describe, expect, it } from '@jest/globals';
import { type DestinationStream, pino } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import { metricsText } from './metrics-text.js';

const FAILED = 'bifolio_metrics_collector_failed';

function gauge(registers: Registry[], name: string, collect: (this: Gauge) => void | Promise<void>): void {
  new Gauge({ name, help: `${name}.`, registers, collect });
}

describe('the text of all metrics', () => {
  const read = async (registry: Registry): Promise<{ readonly text: string; readonly logged: string[] }> => {
    const logged: string[] = [];
    const lines: DestinationStream = { write: (line) => logged.push(line) };
    return { text: await metricsText(registry, pino({}, lines), 20), logged };
  };

  it('given collectors that reject, throw or never end, contains all other metrics and names the failed ones, as does the log', async () => {
    const registry = new Registry();
    new Counter({ name: 'good_total', help: 'Good.', registers: [registry] }).inc(3);
    gauge([registry], 'rejecting', () => Promise.reject(new Error('the database is closed')));
    gauge([registry], 'throwing', () => {
      throw new Error('there is nothing');
    });
    gauge([registry], 'hanging', () => new Promise<void>(() => undefined));
    gauge([registry], 'late', async function collect() {
      await Promise.resolve();
      this.set(7);
    });

    const { text, logged } = await read(registry);

    expect(text).toMatch(/^good_total 3$/m);
    expect(text).toMatch(/^late 7$/m);
    for (const name of ['rejecting', 'throwing', 'hanging']) {
      expect(text).toMatch(new RegExp(`^${FAILED}\\{collector="${name}"\\} 1$`, 'm'));
      expect(text).not.toMatch(new RegExp(`^${name} `, 'm'));
    }
    expect(text.match(new RegExp(`^${FAILED}\\{`, 'gm'))).toHaveLength(3);
    expect(logged.filter((line) => line.includes('a metric could not be read'))).toHaveLength(3);
    expect(logged.join('')).toContain('the database is closed');
  });

  it("given no failing collector, is the registry's text without a failure", async () => {
    const registry = new Registry();
    gauge([registry], 'one', function collect() {
      this.set(1);
    });
    gauge([registry], 'two', function collect() {
      this.set(2);
    });
    const { text, logged } = await read(registry);

    expect(text.startsWith((await registry.metrics()).trimEnd())).toBe(true);
    expect([text.match(new RegExp(`^${FAILED}\\{`, 'm')), logged]).toEqual([null, []]);
    expect(text.endsWith('\n')).toBe(true);
  });
});
