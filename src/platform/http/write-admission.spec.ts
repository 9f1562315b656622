import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { eventually } from '../../../test/support/eventually.js';
import { useWriteAdmission } from './write-admission.js';

describe('write admission', () => {
  let server: FastifyInstance;
  let underWay: (() => void)[];

  beforeEach(() => {
    server = fastify();
    underWay = [];
    useWriteAdmission(server, 2);
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

  it('refuses a write, but no read, while as many as are allowed are under way, and admits again after', async () => {
    const admitted = [send('POST'), send('POST')];
    await areUnderWay(2);

    expect((await send('POST')).json()).toMatchObject({ message: '2 writes are under way; nothing was written' });
    expect((await send('GET')).payload).toBe('read');

    finishAll();
    expect((await Promise.all(admitted)).map(({ payload }) => payload)).toEqual(['written', 'written']);
    const later = send('POST');
    await areUnderWay(1);
    finishAll();
    expect((await later).payload).toBe('written');
  });
});
