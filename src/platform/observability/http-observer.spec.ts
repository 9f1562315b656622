import { describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { type DestinationStream, pino } from 'pino';
import { eventually } from '../../../test/support/eventually.js';
import { HttpObserver } from './http-observer.js';

interface Entry {
  readonly level: number;
  readonly method: string;
  readonly status: number;
  readonly requestId: string;
}

function observed(): { readonly server: FastifyInstance; readonly observer: HttpObserver; readonly entries: Entry[] } {
  const entries: Entry[] = [];
  const lines: DestinationStream = { write: (line) => entries.push(JSON.parse(line) as Entry) };
  const observer = new HttpObserver(pino({ level: 'info' }, lines));
  const server = fastify();
  observer.install(server);
  server.all('/things/:id', (_request, reply) => reply.code(200).send('ok'));
  server.get('/broken', (_request, reply) => reply.code(503).send('no'));
  server.get('/quick', (_request, reply) => {
    reply.hijack();
    reply.raw.end('ok');
  });
  return { server, observer, entries };
}

async function countOf({ registry }: HttpObserver, labels: string): Promise<string | undefined> {
  const line = new RegExp(`^http_request_duration_seconds_count\\{${labels}\\} (\\d+)$`, 'm');
  return line.exec(await registry.metrics())?.[1];
}

describe('the HTTP observer', () => {
  it('counts requests by method, route and status, whatever their path', async () => {
    const { server, observer } = observed();
    for (const id of ['1', '2', '3']) await server.inject({ url: `/things/${id}` });
    await server.inject({ url: '/quick' });
    for (const path of ['/a', '/b']) await server.inject({ url: path });
    expect(await countOf(observer, 'method="GET",route="/things/:id",status="200"')).toBe('3');
    expect(await countOf(observer, 'method="GET",route="/quick",status="200"')).toBe('1');
    expect(await countOf(observer, 'method="GET",route="none",status="404"')).toBe('2');
  });

  it('logs writes and errors, and no ordinary read', async () => {
    const { server, entries } = observed();
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE'] as const) {
      await server.inject({ method, url: '/things/1' });
    }
    await server.inject({ url: '/broken' });
    expect(entries.map(({ method, status }) => `${method} ${String(status)}`)).toEqual([
      'POST 200',
      'PUT 200',
      'DELETE 200',
      'GET 503',
    ]);
    expect(entries.map(({ level }) => level)).toEqual([30, 30, 30, 50]);
    expect(entries.every(({ requestId }) => requestId !== '')).toBe(true);
  });

  it('given many equal refusals, logs a few and then their number', async () => {
    const { server, entries } = observed();
    server.post('/refused', (_request, reply) => reply.code(409).send('no'));
    for (let count = 0; count < 500; count += 1) await server.inject({ method: 'POST', url: '/refused' });
    await server.inject({ method: 'POST', url: '/nope' });
    await eventually(() => {
      const told = (entries as (Entry & { lines?: number })[]).reduce((sum, { lines }) => sum + (lines ?? 0), 0);
      const shown = entries.filter(({ requestId, status }) => requestId !== undefined && status === 409).length;
      expect(shown + told).toBe(500);
      expect(shown).toBeLessThanOrEqual(250);
      expect(entries.filter(({ status }) => status === 404)).toHaveLength(1);
    });
  });

  it('given repeated readiness checks of a process that is not ready, logs no error', async () => {
    const { server, entries } = observed();
    server.get('/health/ready', (_request, reply) => reply.code(503).send('not yet'));
    await server.inject({ url: '/health/ready' });
    expect(entries).toMatchObject([{ level: 30, status: 503 }]);
  });
});
