import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { type AddressInfo, connect } from 'node:net';
import { eventually } from '../../../test/support/eventually.js';
import { useEndings } from './endings.js';
import { useWriteAdmission, type WriteAdmission } from './write-admission.js';

describe('write admission', () => {
  let server: FastifyInstance;
  let underWay: (() => void)[];
  let admission: WriteAdmission;

  beforeEach(() => {
    server = fastify();
    underWay = [];
    useEndings(server);
    admission = useWriteAdmission(server, 2);
    server.get('/', () => 'read');
    server.post('/', (_request, reply) => {
      underWay.push(() => void reply.send('written'));
    });
  });

  afterEach(() => server.close());

  const send = async (method: 'GET' | 'POST'): Promise<LightMyRequestResponse> => server.inject({ method, url: '/' });
  const finishAll = (): void => {
    underWay.splice(0).forEach((finish) => {
      finish();
    });
  };
  const areUnderWay = (count: number): Promise<void> =>
    eventually(() => {
      expect(underWay).toHaveLength(count);
    });

  it('given the maximum of writes in progress, refuses writes but no reads, and admits writes again afterwards', async () => {
    const admitted = [send('POST'), send('POST')];
    await areUnderWay(2);

    expect((await send('POST')).json()).toMatchObject({
      message: '2 writes are already in progress; nothing was written',
    });
    expect((await send('GET')).payload).toBe('read');

    finishAll();
    expect((await Promise.all(admitted)).map(({ payload }) => payload)).toEqual(['written', 'written']);
    const later = send('POST');
    await areUnderWay(1);
    finishAll();
    expect((await later).payload).toBe('written');
  });

  it.each([
    ['before its body has come', 'content-length: 20\r\n\r\n{', 0],
    ['before its chunk has come', 'transfer-encoding: chunked\r\n\r\n5\r\n{', 0],
    ['while its write is under way', 'content-length: 2\r\n\r\n{}', 1],
  ])('given a client that hangs up %s, gives its slot to the next write', async (_title, rest, reaching) => {
    let arrived = 0;
    server.addHook('onRequest', (_request, _reply, done) => {
      arrived += 1;
      done();
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    for (let client = 1; client <= 3; client += 1) {
      const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${rest}`);
      await eventually(() => {
        expect([arrived, underWay.length]).toEqual([client, reaching]);
      });
      socket.resetAndDestroy();
      await eventually(async () => {
        expect(await new Promise((told) => server.server.getConnections((_error, open) => told(open)))).toBe(0);
      });
      finishAll();
    }

    const next = send('POST');
    await areUnderWay(1);
    finishAll();
    expect((await next).payload).toBe('written');
    expect(admission.underWay).toBe(0);
  });

  it('given a request whose body has not arrived whole, gives it no slot, so that slow clients block no others', async () => {
    let arrived = 0;
    server.addHook('onRequest', (_request, _reply, done) => {
      arrived += 1;
      done();
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const slow = Array.from({ length: 5 }, () => {
      const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{');
      return socket;
    });
    await eventually(() => {
      expect(arrived).toBe(5);
    });
    expect(admission.underWay).toBe(0);
    const next = send('POST');
    await areUnderWay(1);
    finishAll();
    expect((await next).payload).toBe('written');
    slow.forEach((socket) => socket.destroy());
  });

  it('given a write that a later hook refuses, without a route, that throws, or that takes its reply over, frees the slot', async () => {
    server.addHook('preHandler', (request, _reply, done) => {
      done(request.url === '/refused' ? new Error('refused') : undefined);
    });
    server.post('/refused', () => 'never');
    server.post('/gone', (_request, reply) => {
      reply.callNotFound();
    });
    server.post('/broken', () => {
      throw new Error('broken');
    });
    server.post('/hijacked', (_request, reply) => {
      reply.hijack();
      reply.raw.end('by hand');
    });
    for (const url of ['/refused', '/gone', '/broken', '/hijacked', '/nothing']) {
      await server.inject({ method: 'POST', url });
      await eventually(() => {
        expect([url, admission.underWay]).toEqual([url, 0]);
      });
    }
  });
});
