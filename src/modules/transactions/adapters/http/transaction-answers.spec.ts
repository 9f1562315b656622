import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { fastify, type FastifyInstance } from 'fastify';
import { eventually } from '../../../../../test/support/eventually.js';
import { SimulatedTimers } from '../../../../../test/support/simulated-timers.js';
import { type Answer, type CommitConfirmer, IdempotencyGate, useJsonBodies } from '../../../../platform/http/index.js';
import type { TransactionOutcome } from '../../../../protocols/two-phase-commit/index.js';
import type { Decided } from '../../decided.js';
import { answerTransaction, completedAnswer } from './transaction-answers.js';

const ID = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';
const HMAC_KEY = new Uint8Array(32);
const EMPTY_BODY_HMAC = createHmac('sha256', HMAC_KEY).update('').digest('base64url');

function decided(result: string): Decided {
  return { answer: { status: 201, headers: {}, body: JSON.stringify({ result }) }, promisedAt: '1.7' };
}

describe('the answer to a write that is a transaction', () => {
  let server: FastifyInstance;
  let outcome: TransactionOutcome<Decided>;
  /** What the ledger has under the key; undefined: nothing. */
  let recorded: { readonly answer: Answer | undefined } | undefined;
  let end: () => void;
  let timers: SimulatedTimers;
  let begun: number;
  /** What replicas were asked about. */
  let asked: unknown[];

  beforeEach(async () => {
    asked = [];
    recorded = undefined;
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
      ledgers: [
        {
          findById: () => undefined,
          findByScope: () => recorded && { id: 'op-0', bodyHmac: EMPTY_BODY_HMAC, atMs: 0, ...recorded },
        },
      ],
      hmacKey: HMAC_KEY,
      newOperationId: () => `op-${String((operations += 1))}`,
      confirmer,
      timers,
      clock: { nowMs: () => 0 },
      answerDeadlineMs: 2_000,
      keysPerCaller: 100,
      isKeyAdded: () => false,
      isMadeHere: () => false,
      monotonicMs: () => 0,
    }).install(server);
    server.post('/', (request, reply) => {
      begun += 1;
      return answerTransaction({ request, reply, confirmer }, outcome);
    });
    await server.ready();
  });

  const post = async (): Promise<unknown> => {
    const headers = { 'idempotency-key': 'k' };
    const answer = await server.inject({ method: 'POST', url: '/', headers });
    const { location, 'x-commit': commit, 'x-replicas-acked': acked } = answer.headers;
    return { status: answer.statusCode, body: answer.json<unknown>(), location, commit, acked };
  };

  it('given a committed transaction, reports the replicas that hold the prepare record and waits for nothing', async () => {
    outcome = {
      state: 'committed',
      id: ID,
      result: decided('x'),
      acknowledgements: { documents: { position: '1.9' } },
    };

    expect(await post()).toEqual({ status: 201, body: { result: 'x' }, commit: '1.9', acked: '3/4' });
    expect(asked).toEqual([[7, 'primary']]);
  });

  it('given a commit that not every participant acknowledged, is 202 with the path of the operation', async () => {
    outcome = { state: 'pending', id: ID, result: decided('x') };

    const body = { operationId: 'op-1', state: 'committed' };
    expect(await post()).toEqual({ status: 202, body, location: '/operations/op-1' });
  });

  it('given an undecided transaction, is 202, and its key stays in use until it ends', async () => {
    const ended = new Promise<void>((settle) => (end = settle));
    outcome = { state: 'running', id: ID, ended };

    const body = { operationId: 'op-1', state: 'running' };
    expect(await post()).toEqual({ status: 202, body, location: '/operations/op-1' });
    const repeated = post();
    await eventually(() => {
      expect(timers.pending).toBe(1);
    });
    expect(begun).toBe(1);
    outcome = { state: 'committed', id: ID, result: decided('another'), acknowledgements: {} };
    end();
    expect(await repeated).toMatchObject({ status: 201, body: { result: 'another' } });
  });

  it('given a repeat of a transaction that not every participant acknowledged, is 202 with the path of the operation', async () => {
    recorded = { answer: undefined };

    const body = { operationId: 'op-0', state: 'committed' };
    expect(await post()).toEqual({ status: 202, body, location: '/operations/op-0' });
    expect(begun).toBe(0);
  });
});

describe('the whole answer to a transaction', () => {
  const answer = { status: 201, headers: { location: '/books/1' }, body: '{"book":{"id":1}}' };

  it('given an acknowledgement with a log position, has that position and the position of the prepare record', () => {
    expect(completedAnswer({ answer, promisedAt: '3.5' }, { position: '3.7' })).toEqual({
      ...{ status: 201, body: answer.body, promisedAt: '3.5' },
      headers: { location: '/books/1', 'x-commit': '3.7' },
    });
  });

  it.each([undefined, ''])('given the prepare position %j, waits for the position of the change', (promisedAt) => {
    const whole = completedAnswer({ answer, promisedAt }, { position: '3.7' });

    expect(Object.keys(whole)).not.toContain('promisedAt');
    expect(whole.headers['x-commit']).toBe('3.7');
  });

  it.each([undefined, {}])('given the acknowledgement %j, is the recorded answer', (acknowledgement) => {
    expect(completedAnswer({ answer, promisedAt: '3.5' }, acknowledgement)).toEqual(answer);
  });

  it('given a recorded body, has the body made from it and the acknowledgement', () => {
    const complete = jest.fn(() => '{}');
    const acknowledgement = { position: '3.7', outcome: { bumped: 2 } };

    expect(completedAnswer({ answer, promisedAt: '3.5' }, acknowledgement, complete).body).toBe('{}');
    expect(complete.mock.calls).toEqual([[answer.body, acknowledgement]]);
    const bodiless = { answer: { ...answer, body: null }, promisedAt: '3.5' };
    expect(completedAnswer(bodiless, acknowledgement, complete).body).toBeNull();
  });
});
