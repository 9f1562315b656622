import { describe, expect, it } from '@jest/globals';
import { BOOK, CUSTOMER } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

describe('GET /', () => {
  it('names the app and its version, and every link in the answer works', async () => {
    const about = await app.client.get('/');
    const { name, version, links } = about.json<{ name: string; version: string; links: Record<string, string> }>();
    expect([about.status, name, version]).toEqual([200, 'Bifolio', expect.stringMatching(/^\d+\.\d+\.\d+/)]);
    const operation = (await app.client.post(BOOK.path, BOOK.input)).header('x-operation-id');
    for (const link of Object.values(links)) {
      const linked = await app.client.get(link.replace('{id}', operation));
      expect([link, linked.status]).toEqual([link, 200]);
    }
  });
});

describe('health', () => {
  it('given the liveness check, names the process', async () => {
    expect((await app.client.get('/health/live')).json()).toEqual({ status: 'ok', pid: app.process.pid });
  });

  it('given an echo, names the process, its role and state, and the epoch', async () => {
    const echo = { pid: app.process.pid, role: 'active', state: 'open', epoch: 1 };
    expect((await app.client.get('/health/echo')).json()).toEqual(echo);
  });

  it('given the readiness check, reports every part', async () => {
    const ready = await app.client.get('/health/ready');
    const up = { status: 'up' };
    expect(ready.json()).toEqual({
      status: 'ok',
      details: {
        files: up,
        'sql-write': up,
        'sql-read': up,
        'payment-write': up,
        'payment-read': up,
        'orders-write': up,
        'orders-read': up,
        'registration-write': up,
        'registration-read': up,
        documents: { ...up, position: expect.stringMatching(/^\d+\.\d+$/) },
        replication: { ...up, inSync: 0, replicas: 0 },
        cache: { ...up, redis: 'off' },
      },
    });
  });
});

describe('metrics', () => {
  /** How often a route was answered so far, as the page says. */
  async function counted(method: string, route: string, status: number): Promise<number> {
    const { text } = await app.client.get('/metrics');
    const line = `http_request_duration_seconds_count{method="${method}",route="${route}",status="${String(status)}"} `;
    const found = text.split('\n').find((candidate) => candidate.startsWith(line));
    return found === undefined ? 0 : Number(found.slice(line.length));
  }

  it('are in the text format of Prometheus', async () => {
    const metrics = await app.client.get('/metrics');
    expect(metrics.header('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of metrics.text.split('\n').filter((candidate) => candidate !== '')) {
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{(?:\w+="[^"]*",?)+\})? \S+)$/);
    }
    expect(metrics.text).toContain('process_resident_memory_bytes');
  });

  it.each([
    ['a book that is read', 'GET', '/books/:id', 200, () => app.client.get('/books/1')],
    ['a book list that is read', 'GET', '/books', 200, () => app.client.get('/books?limit=3')],
    ['a customer list that is read', 'GET', '/customers', 200, () => app.client.get('/customers')],
    ['a customer that is added', 'POST', '/customers', 201, () => app.client.post(CUSTOMER.path, CUSTOMER.input)],
    ['a book that is refused', 'POST', '/books', 400, () => app.client.post('/books', {})],
    ['an unknown customer', 'DELETE', '/customers/:id', 404, () => app.client.delete('/customers/999999')],
    ['an unknown path', 'GET', 'none', 404, () => app.client.get('/no/such/path')],
  ])('given %s, count one more', async (_title, method, route, status, ask) => {
    await app.client.add(BOOK.path, BOOK.input);
    const before = await counted(method, route, status);
    await ask();
    expect(await counted(method, route, status)).toBe(before + 1);
  });

  it('given requests to a hundred unknown paths, have one line for all of them', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => app.client.get(`/unknown-${String(n)}`)));
    expect((await app.client.get('/metrics')).text).not.toContain('unknown-');
  });
});

describe('the log', () => {
  const logged = useSharedApp();

  it('at its ordinary level, contains writes with their request id and no bodies', async () => {
    const secret = 'nobody-logs-this@example.org';
    const { client, process } = logged;
    await client.post(CUSTOMER.path, { ...CUSTOMER.input, email: secret }, { 'x-request-id': 'log-me-1' });
    await client.get('/customers', { 'x-request-id': 'not-me-1' });
    await process.stop();
    expect(process.printed).toContain('"requestId":"log-me-1"');
    expect(process.printed).not.toContain('not-me-1');
    expect(process.printed).not.toContain(secret);
  });
});
