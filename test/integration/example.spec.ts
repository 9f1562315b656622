import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { InvoiceHistory } from './invoice-history.js';
import { holdWriteLock } from '../support/sql-file.js';

/** Where one incarnation dies, and where the next one dies while it recovers from that. */
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

  it('given kill -9 while ten clients write, has each invoice with its entry or neither after a restart', async () => {
    await history.dieUnderLoad(37);

    expect(await history.audit()).toEqual([]);
  });

  it('given an older copy of its database, refuses to start and names the missing data', async () => {
    const [present, older] = ['invoices.db', 'older.db'].map((name) => join(history.directory, name));
    expect(await history.audit()).toEqual([]);
    copyFileSync(present!, older!);
    expect(await history.audit()).toEqual([]);
    copyFileSync(older!, present!);

    await expect(history.audit()).rejects.toThrow('recovery-needed');
  });

  it('given GET /, describes itself and links to the rest', async () => {
    expect(await history.about()).toMatchObject({ links: { invoices: '/invoices', ledger: '/ledger' } });
  });

  it.each([
    ['without FAULTS=1', { CRASH_SITE: '2pc.decide.after' }, 'CRASH_SITE needs FAULTS=1'],
    ['for no time', { FAULTS: '1', CRASH_SITE: '2pc.decide.after#never' }, 'CRASH_SITE must end with #n'],
    ['that there is not', { FAULTS: '1', CRASH_SITE: '2pc.nowhere' }, 'CRASH_SITE must be one of'],
  ])('given a crash site %s, refuses to start in one line', async (_, environment, reason) => {
    expect(await history.refusal(environment)).toMatch(new RegExp(`^misconfigured: ${reason}.*\\n$`));
  });

  it('given a ledger with a damaged line, refuses to start in one line that names file and line', async () => {
    expect(await history.audit()).toEqual([]);
    const ledger = join(history.directory, 'ledger.jsonl');
    writeFileSync(ledger, `garbage\n${readFileSync(ledger, 'utf8')}`);

    expect(await history.refusal()).toMatch(/^data-corrupt: \S+ledger\.jsonl: line 1 is damaged.*\n$/);
  });

  it('given a database locked by another program, refuses to start in one line that names it', async () => {
    expect(await history.audit()).toEqual([]);
    const letGo = holdWriteLock(join(history.directory, 'invoices.db'));

    expect(await history.refusal()).toMatch(/^storage-busy: \S+invoices\.db is locked by another program.*\n$/);
    letGo();
  });
});
