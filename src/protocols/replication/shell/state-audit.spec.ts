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

  it('of replicas that were told to stop at the same record, gives what each of them shows there', async () => {
    begin('a', 'b');
    expect(audit.cutFor('a', SEQ - 2)).toBe(SEQ);
    audit.reached(shows('a', 'own'), SEQ, SEQ);
    audit.reached(shows('b', 'other'), SEQ, SEQ);
    expect(await settled()).toEqual({ own: 'own', replicas: { a: 'own', b: 'other' } });
  });

  it('while a message that knew nothing of it is under way, waits for the next one, which is cut there', async () => {
    begin('a');
    audit.reached(shows('a', 'own'), SEQ, undefined);
    expect(await settled()).toBe('under way');
    expect(audit.cutFor('a', SEQ)).toBe(SEQ);
    audit.reached(shows('a', 'own'), SEQ, SEQ);
    expect(await settled()).toEqual({ own: 'own', replicas: { a: 'own' } });
  });

  it('with a replica that takes long to compute, waits as long as the deadline, and then goes without it', async () => {
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

  it('with a replica that has shown its state and then failed, does not count what it had shown', async () => {
    begin('a', 'b');
    audit.reached(shows('a', 'own'), SEQ, SEQ);
    await settled();
    audit.failed('a');
    audit.reached(shows('b', 'own'), SEQ, SEQ);
    expect(await settled()).toEqual({ own: 'own', replicas: { b: 'own' } });
  });

  it('that nobody answers, or for which the own state cannot be had, comes to nothing', async () => {
    begin('a');
    audit.failed('a');
    expect(await settled()).toBeUndefined();
    own = Promise.reject(new Error('no memory'));
    result = 'under way';
    begin('a');
    expect(await settled()).toBeUndefined();
  });
});
