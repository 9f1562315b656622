import { beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import type { OperationRecord } from '../../kernel/index.js';
import type { Answer } from './answer.js';
import { sendAnswer } from './answers.js';
import { IdempotencyGate, operationOf } from './idempotency-gate.js';

const CREATED: Answer = { status: 201, headers: {}, body: '{"id":1}' };
const MADE_HERE = { 'x-added': 'yes', 'x-made-here': 'yes' };

let server: FastifyInstance;
let nowMs: number;
let records: Map<string, OperationRecord<Answer>>;
/** How often the store was asked for a key. */
let lookedUp: number;

beforeEach(async () => {
  nowMs = 0;
  lookedUp = 0;
  records = new Map();
  server = fastify();
  server.decorateRequest('caller', 'anonymous');
  new IdempotencyGate({
    ledgers: [
      {
        findByScope: (scope) => {
          lookedUp += 1;
          return records.get(scope);
        },
        findById: () => undefined,
      },
    ],
    hmacKey: new Uint8Array(32),
    newOperationId: () => 'op',
    confirmer: {
      admit: () => undefined,
      confirm: () => Promise.resolve({ isConfirmed: true, acked: 4, replicas: 4 }),
      isConfirmed: () => true,
    },
    timers: new SimulatedTimers(),
    clock: { nowMs: () => nowMs },
    answerDeadlineMs: 2_000,
    keysPerCaller: 100,
    isKeyAdded: ({ headers }) => headers['x-added'] === 'yes',
    isMadeHere: ({ headers }) => headers['x-made-here'] === 'yes',
    monotonicMs: () => nowMs,
  }).install(server);
  server.put('/things/:name', (request, reply) => {
    const { id, scope = '', bodyHmac } = operationOf(request);
    records.set(scope, { id, bodyHmac, atMs: nowMs, answer: CREATED });
    return sendAnswer(reply, CREATED);
  });
  await server.ready();
});

/** Whether the answer was the one of an earlier request. */
async function put(key: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
  const sent = { 'idempotency-key': key, ...headers };
  const answer = await server.inject({ method: 'PUT', url: '/things/a', headers: sent });
  expect(answer.statusCode).toBe(201);
  return answer.headers['idempotency-replayed'] === 'true';
}

describe('an added key that was made for this incarnation of the app', () => {
  it('is not looked for in the stores the first time, and is found when it comes again', async () => {
    expect(await put('k', MADE_HERE)).toBe(false);
    expect(lookedUp).toBe(0);
    expect(await put('k', MADE_HERE)).toBe(true);
    nowMs = 119_999;
    expect(await put('l', MADE_HERE)).toBe(false);
    expect(await put('k', MADE_HERE)).toBe(true);
  });

  it.each([
    ['a client sent', { 'x-made-here': 'yes' }],
    ['was made for another incarnation', { 'x-added': 'yes' }],
  ])('but one that %s is looked for each time', async (_what, headers) => {
    expect(await put('k', headers)).toBe(false);
    expect(lookedUp).toBeGreaterThan(0);
    expect(await put('k', headers)).toBe(true);
  });
});
