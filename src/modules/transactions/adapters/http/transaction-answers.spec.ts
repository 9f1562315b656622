import { beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { eventually } from '../../../../../test/support/eventually.js';
import { SimulatedTimers } from '../../../../../test/support/simulated-timers.js';
import { type CommitConfirmer, IdempotencyGate, useJsonBodies } from '../../../../platform/http/index.js';
import type { TransactionOutcome } from '../../../../protocols/two-phase-commit/index.js';
import { answerTransaction } from './transaction-answers.js';

const ID = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';

describe('the answer to a write that is a transaction', () => {
  let server: FastifyInstance;
  let outcome: TransactionOutcome<string>;
  let end: () => void;
  let timers: SimulatedTimers;
  let begun: number;
  /** What replicas were asked about. */
  let asked: unknown[];

  beforeEach(async () => {
    asked = [];
    begun = 0;
    timers = new SimulatedTimers();
    const confirmer: CommitConfirmer = {
      admit: () => undefined,
      isConfirmed: () => true,
      confirm: (...question) => {
        asked.push(question);
        return Promise.resolve({ isConfirmed: true, acked: 3, replicas: 4 });
      },
    };
    let operations = 0;
    server = fastify();
    server.decorateRequest('caller', 'anonymous');
    useJsonBodies(server);
    new IdempotencyGate({
      ledgers: [],
      hmacKey: new Uint8Array(32),
      newOperationId: () => `op-${String((operations += 1))}`,
      confirmer,
      timers,
      clock: { nowMs: () => 0 },
      answerDeadlineMs: 2_000,
      keysPerCaller: 100,
      isKeyAdded: () => false,
    }).install(server);
    server.post('/', (request, reply) => {
      begun += 1;
      return answerTransaction({ request, reply, confirmer }, outcome, ({ result, receipts }) => ({
        status: 201,
        headers: { 'x-commit': receipts['documents']?.place ?? '' },
        body: JSON.stringify({ result }),
        promisedAt: '1.7',
      }));
    });
    await server.ready();
  });

  const post = async (): Promise<unknown> => {
    const headers = { 'idempotency-key': 'k' };
    const answer = await server.inject({ method: 'POST', url: '/', headers });
    const { location, 'x-commit': commit, 'x-replicas-acked': acked } = answer.headers;
    return { status: answer.statusCode, body: answer.json<unknown>(), location, commit, acked };
  };

  it('that is committed, says who holds the promise and waits for nobody', async () => {
    outcome = { state: 'committed', id: ID, result: 'x', receipts: { documents: { place: '1.9' } } };

    expect(await post()).toEqual({ status: 201, body: { result: 'x' }, commit: '1.9', acked: '3/4' });
    expect(asked).toEqual([[7, 'primary']]);
  });

  it('that is committed and not told to all, is 202 with the place to ask at', async () => {
    outcome = { state: 'untold', id: ID, result: 'x' };

    const body = { operationId: 'op-1', state: 'committed' };
    expect(await post()).toEqual({ status: 202, body, location: '/operations/op-1' });
  });

  it('that is not decided, is 202, and its key is not free before it has ended', async () => {
    const ended = new Promise<void>((settle) => (end = settle));
    outcome = { state: 'running', id: ID, ended };

    const body = { operationId: 'op-1', state: 'running' };
    expect(await post()).toEqual({ status: 202, body, location: '/operations/op-1' });
    const repeated = post();
    await eventually(() => {
      expect(timers.pending).toBe(1);
    });
    expect(begun).toBe(1);
    outcome = { state: 'committed', id: ID, result: 'another', receipts: {} };
    end();
    expect(await repeated).toMatchObject({ status: 201, body: { result: 'another' } });
  });
});
