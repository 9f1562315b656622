import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import {
  createHttpServer,
  OPEN_TO_THIS_MACHINE,
  ProblemFilter,
  useJsonBodies,
} from '../../../../platform/http/index.js';
import { TransactionsModule } from '../../transactions.module.js';

const ID = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';
const KEYS = { read: 'r'.repeat(16), write: 'w'.repeat(16), operator: 'o'.repeat(16) } as const;
const REPORT = { committed: [], aborted: [], unmatched: [], failed: [] };

describe('transactions, with keys', () => {
  let server: FastifyInstance;
  let app: NestFastifyApplication;
  /** What an operator's request did. */
  let done: string[];

  beforeAll(async () => {
    const logger = pino({ level: 'silent' });
    server = createHttpServer({
      ...{ ...OPEN_TO_THIS_MACHINE, servedHosts: 'any', logger },
      ...{ headersTimeoutMs: 10_000, requestTimeoutMs: 30_000, newRequestId: () => 'id' },
      apiKeys: (['read', 'write', 'operator'] as const).map((role) => ({ name: role, role, key: KEYS[role] })),
    });
    useJsonBodies(server);
    const note = <T>(what: string, value: T): Promise<T> => Promise.resolve(value).finally(() => done.push(what));
    const module = TransactionsModule.of({
      coordinator: {
        live: () => [],
        find: () => undefined,
        recoverNow: () => note('recovered', REPORT),
        resolve: (_id, decision, { by }) => note(`${decision} by ${by}`, undefined),
      },
      participants: [],
      rows: {
        find: () => undefined,
        decisionOf: () => undefined,
        page: () => [],
        incomplete: () => [],
        count: () => 0,
      },
    });
    app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(server as never), {
      ...{ logger: false, bodyParser: false, abortOnError: false },
    });
    app.useGlobalFilters(new ProblemFilter(logger));
    await app.init();
    await server.ready();
  });

  afterAll(() => app.close());

  const RESOLUTION = { decision: 'abort', reason: 'the backup has no such row' };
  it.each([
    ['GET', '/transactions', undefined, [401, 200, 200, 200], []],
    ['GET', `/transactions/${ID}`, undefined, [401, 404, 404, 404], []],
    ['POST', '/transactions/recover', {}, [401, 403, 403, 200], ['recovered']],
    ['POST', `/transactions/${ID}/resolve`, RESOLUTION, [401, 403, 403, 404], ['aborted by operator']],
  ] as const)('%s %s, is open to the permitted roles only', async (method, url, payload, statuses, effects) => {
    done = [];
    const given = [];
    for (const key of ['unknown', KEYS.read, KEYS.write, KEYS.operator]) {
      const asked = { method, url, headers: { 'x-api-key': key }, ...(payload && { payload }) };
      given.push((await server.inject(asked)).statusCode);
    }
    expect(given).toEqual(statuses);
    expect(done).toEqual(effects);
  });
});
