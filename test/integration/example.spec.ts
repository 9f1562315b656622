import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { InvoiceHistory } from '../support/invoice-history.js';

/** Where one life dies, and where the next one dies while it recovers from that. */
const RECOVERIES: readonly (readonly [first: string, second: string])[] = [
  ['2pc.prepare.after', '2pc.recovery.decide.before'],
  ['2pc.decide.before', '2pc.recovery.decide.after'],
  ['2pc.veto.before', '2pc.recovery.abort.before'],
  ['2pc.veto.after', '2pc.recovery.abort.after'],
  ['2pc.decide.after', '2pc.recovery.commit.before'],
  ['2pc.commit.before', '2pc.recovery.commit.after'],
];
const ALONE = ['2pc.prepare.before', '2pc.commit.after', '2pc.abort.before', '2pc.abort.after'];

describe('the invoice example', () => {
  let history: InvoiceHistory;

  beforeEach(() => {
    history = new InvoiceHistory();
  });

  afterEach(() => history.end());

  it('is killed at every crash site of the protocol', () => {
    expect([...RECOVERIES.flat(), ...ALONE].sort()).toEqual([...TWO_PHASE_CRASH_SITES].sort());
  });

  it.each(ALONE)('given kill -9 at %s, has invoice and entry or neither after a restart', async (site) => {
    expect(await history.dieAt(site)).toEqual({ code: null, signal: 'SIGKILL', when: 'under load' });

    expect(await history.audit()).toEqual([]);
  });

  it.each(RECOVERIES)(
    'given kill -9 at %s and then, in the recovery from it, at %s, has invoice and entry or neither after a restart',
    async (first, second) => {
      expect(await history.dieAt(first)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      expect(await history.dieAt(second)).toMatchObject({ signal: 'SIGKILL', when: 'while starting' });

      expect(await history.audit()).toEqual([]);
    },
  );

  it('given kill -9 while ten clients write, has invoice and entry or neither of each after a restart', async () => {
    await history.dieUnderLoad(37);

    expect(await history.audit()).toEqual([]);
  });

  it('given an older copy of its database put back, refuses to start and names what is missing', async () => {
    const [present, older] = ['invoices.db', 'older.db'].map((name) => join(history.directory, name));
    expect(await history.audit()).toEqual([]);
    copyFileSync(present!, older!);
    expect(await history.audit()).toEqual([]);
    copyFileSync(older!, present!);

    await expect(history.audit()).rejects.toThrow('recovery-needed');
  });
});
