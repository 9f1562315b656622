import { beforeEach, describe, expect, it } from '@jest/globals';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import type { ReplicaLink } from './replica-link.js';
import { type AuditResult, StateAudit } from './state-audit.js';

const DEADLINE_MS = 30_000;
const SEQ = 7;
const POSITION = { epoch: 1, seq: SEQ, hash: 'h' };

describe('a comparison of states', () => {
  let timers: SimulatedTimers;
  let own: Promise<string>;
  let audit: StateAudit;
  let result: AuditResult | undefined | 'under way';

  const link = (name: string, show: () => Promise<string | undefined>): ReplicaLink =>
    ({
      name,
      stateHash: async () => {
        const stateHash = await show();
        return stateHash === undefined ? undefined : { position: POSITION, stateHash };
      },
    }) as unknown as ReplicaLink;
  const shows = (name: string, hash: string): ReplicaLink => link(name, () => Promise.resolve(hash));
  const begin = (...names: string[]): void => {
    void audit.begin(names).then((found) => (result = found));
  };
  const settled = async (): Promise<typeof result> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return result;
  };

  beforeEach(() => {
    timers = new SimulatedTimers();
    own = Promise.resolve('own');
    result = 'under way';
    audit = new StateAudit({ captureState: () => ({ position: POSITION, stateHash: () => own }) }, timers, DEADLINE_MS);
  });

  it('of replicas whose message ended at the same record, returns the hash of each', async () => {
    begin('a', 'b');
    expect(audit.cutFor('a', SEQ - 2)).toBe(SEQ);
    audit.reached(shows('a', 'own'), SEQ, SEQ);
    audit.reached(shows('b', 'other'), SEQ, SEQ);
    expect(await settled()).toEqual({ own: 'own', replicas: { a: 'own', b: 'other' } });
  });

  it('that begins while a message is under way, waits for the next message, which ends at the record', async () => {
    begin('a');
    audit.reached(shows('a', 'own'), SEQ, undefined);
    expect(await settled()).toBe('under way');
    expect(audit.cutFor('a', SEQ)).toBe(SEQ);
    audit.reached(shows('a', 'own'), SEQ, SEQ);
    expect(await settled()).toEqual({ own: 'own', replicas: { a: 'own' } });
  });

  it('with a slow replica, waits until the deadline, and then continues without it', async () => {
    begin('a', 'b');
    audit.reached(
      link('a', () => new Promise(() => undefined)),
      SEQ,
      SEQ,
    );
    audit.reached(shows('b', 'own'), SEQ, SEQ);
    timers.pass(DEADLINE_MS - 1);
    expect(await settled()).toBe('under way');
    timers.pass(1);
    expect(await settled()).toEqual({ own: 'own', replicas: { b: 'own' } });
  });

  it('with a replica that failed after it had shown its hash, ignores that hash', async () => {
    begin('a', 'b');
    audit.reached(shows('a', 'own'), SEQ, SEQ);
    await settled();
    audit.failed('a');
    audit.reached(shows('b', 'own'), SEQ, SEQ);
    expect(await settled()).toEqual({ own: 'own', replicas: { b: 'own' } });
  });

  it('without an answer, or without its own state hash, has no result', async () => {
    begin('a');
    audit.failed('a');
    expect(await settled()).toBeUndefined();
    own = Promise.reject(new Error('no memory'));
    result = 'under way';
    begin('a');
    expect(await settled()).toBeUndefined();
  });
});
