import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createHttpServer, OPEN_TO_THIS_MACHINE } from '../../../platform/http/index.js';
import type { ReplicaShell } from './replica-shell.js';
import { serveReplication } from './replication-routes.js';
import { REPLICATION_PATHS } from './wire.js';

const SECRET = 'Bearer the-secret';
const API_KEY = { name: 'ops', role: 'operator', key: 'o'.repeat(16) } as const;
const { report, records, snapshot, stateHash, ...messages } = REPLICATION_PATHS;
const ROUTES = [
  ...Object.values({ report, records, snapshot, stateHash }).map((url) => ['GET', url] as const),
  ...Object.values(messages).map((url) => ['POST', url] as const),
];

describe('the routes between the nodes of a cluster', () => {
  let secret: string | undefined;
  let server: FastifyInstance;
  /** The requests that reached the data. */
  let reached: string[];

  beforeEach(async () => {
    secret = SECRET;
    reached = [];
    const logger = pino({ level: 'silent' });
    const noting = new Proxy({} as ReplicaShell & Parameters<typeof serveReplication>[1]['history'], {
      get: (_target, name) => () => {
        reached.push(String(name));
        throw new Error('reached');
      },
    });
    server = createHttpServer({
      ...{ ...OPEN_TO_THIS_MACHINE, servedHosts: 'any', apiKeys: [API_KEY], logger },
      ...{ headersTimeoutMs: 10_000, requestTimeoutMs: 30_000, newRequestId: () => 'id' },
    });
    await serveReplication(server, { shell: noting, history: noting, authorization: () => secret, logger });
  });

  const statusOf = async (
    method: 'GET' | 'POST',
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<number> => (await server.inject({ method, url: `${url}?after=0&seq=1`, headers })).statusCode;

  it.each(ROUTES)(
    '%s %s without the cluster secret is refused with 401, whatever API key the request carries',
    async (method, url) => {
      expect([
        await statusOf(method, url, {}),
        await statusOf(method, url, { authorization: 'Bearer another' }),
        await statusOf(method, url, { 'x-api-key': API_KEY.key }),
        await statusOf(method, url, { authorization: `Bearer ${API_KEY.key}` }),
      ]).toEqual([401, 401, 401, 401]);
      expect(reached).toEqual([]);
    },
  );

  it.each(ROUTES)('%s %s is refused with 503 while this process knows no secret', async (method, url) => {
    secret = undefined;
    expect(await statusOf(method, url, { authorization: SECRET })).toBe(503);
    expect(reached).toEqual([]);
  });

  it.each(ROUTES)('%s %s with the secret needs no API key', async (method, url) => {
    expect([401, 403]).not.toContain(await statusOf(method, url, { authorization: SECRET }));
    expect(reached).toHaveLength(method === 'GET' ? 1 : 0);
  });
});
