import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CRASH_SITES } from '../../src/main/api/crash-sites.js';
import { SAGA_CRASH_SITES } from '../../src/protocols/saga/index.js';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { someOf } from '../support/long-form.js';
import { type Death, ShopHistory } from './shop-history.js';

const TEST_TIMEOUT_MS = 120_000;
const DEATHS_PER_AUDIT = 4;

/** Reached once in the life of a data directory. */
const ONCE = CRASH_SITES.filter((site) => /^(?:cluster-secret|end-witness[.](?:replace|rename))[.]/.test(site));
/** Reached beside the writes, by time and not by their number. */
const BESIDE = CRASH_SITES.filter((site) => /^end-witness[.](?:write|synchronize)[.]/.test(site));
/** Reached only where a torn write has left something to cut. */
const CUTTING = CRASH_SITES.filter((site) => site.startsWith('journal.recovery-cut.'));
/** Reached once in each life. */
const AT_EACH_START = CRASH_SITES.filter((site) => site.startsWith('sql.epoch.'));
/** Reached by transactions over both stores, which this load has none of. */
const TWO_PHASE: readonly string[] = TWO_PHASE_CRASH_SITES;
/** Reached by checkouts. */
const SAGA: readonly string[] = SAGA_CRASH_SITES;
const RECURRING = CRASH_SITES.filter(
  (site) => ![...ONCE, ...BESIDE, ...CUTTING, ...AT_EACH_START, ...TWO_PHASE, ...SAGA].includes(site),
);

/** Where one life dies, and where the next one dies of what that left behind. */
const RECOVERIES: readonly (readonly [first: string, second: string])[] = [
  ['snapshot.directory.after', 'journal.remove-segment.before'],
  ['snapshot.directory.after', 'journal.remove-segment.after'],
  ['snapshot.rename.after', 'journal.remove-segment.before'],
  ['journal.begin-segment.written#2', 'sql.epoch.before'],
  ['journal.write.after#9', 'journal.write.after'],
  ['journal.synchronize.after#9', 'journal.synchronize.after'],
  ['sql.commit.after#9', 'sql.epoch.after'],
];

describe('kill -9 of the app at a crash site', () => {
  let history: ShopHistory;

  const dies = async (site: string, when: Death['when']): Promise<void> => {
    expect(await history.dieAt(site)).toEqual({ code: null, signal: 'SIGKILL', printed: '', when });
  };
  const diesAndKeepsItsPromises = async (site: string, when: Death['when']): Promise<void> => {
    await dies(site, when);
    expect(await history.audit()).toEqual([]);
  };

  beforeEach(() => {
    history = new ShopHistory(1);
  });

  afterEach(async () => {
    await history.end();
  });

  it(
    'given each of them in turn in later incarnations of the same data, dies there and keeps every promise',
    async () => {
      expect(await history.audit()).toEqual([]);
      for (const [index, site] of RECURRING.entries()) {
        const end = { code: null, signal: 'SIGKILL', printed: '' };
        expect([site, await history.dieAt(`${site}#2`)]).toMatchObject([site, end]);
        if (index % DEATHS_PER_AUDIT === 0) expect([site, await history.audit()]).toEqual([site, []]);
      }
      expect(await history.audit()).toEqual([]);
    },
    3 * TEST_TIMEOUT_MS,
  );

  it.each(someOf(RECURRING, 4))(
    'given %s at its first pass in a new data directory and its second in a later incarnation, dies there and keeps every promise',
    async (site) => {
      const isOnTheWay = /^(?:journal[.](?:write|synchronize|begin-segment)|sql[.]commit)[.]/.test(site);

      // Where the first start was not completed, the audit is a life that completes it.
      if (isOnTheWay) await diesAndKeepsItsPromises(site, 'while starting');
      else await dies(site, 'under load');
      await diesAndKeepsItsPromises(`${site}#2`, 'under load');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(AT_EACH_START)(
    'given %s in the first start and in a later one, dies there and keeps every promise',
    async (site) => {
      await dies(site, 'while starting');
      await diesAndKeepsItsPromises(site, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(ONCE, 2))(
    'given %s in the first start, dies there, and later incarnations keep every promise',
    async (site) => {
      await diesAndKeepsItsPromises(site, 'while starting');
      await diesAndKeepsItsPromises('sql.commit.after#9', 'under load');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(BESIDE)(
    'given %s at its second pass in a new data directory and in a later incarnation, dies there and keeps every promise',
    async (site) => {
      for (let life = 0; life < 2; life += 1) {
        expect(await history.dieAt(`${site}#2`)).toMatchObject({ code: null, signal: 'SIGKILL', printed: '' });
      }
      expect(await history.audit()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(['journal.begin-segment.before', 'cluster-secret.rename.before'])(
    'given %s in the first and second start, completes the third start',
    async (site) => {
      expect(await history.dieAt(site)).toMatchObject({ signal: 'SIGKILL', when: 'while starting' });
      await diesAndKeepsItsPromises(site, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(CUTTING)(
    'given a journal with a torn end and %s, dies there and keeps every promise',
    async (site) => {
      await dies('journal.synchronize.after#9', 'under load');
      history.tearJournal();

      await diesAndKeepsItsPromises(site, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(RECOVERIES, 3))(
    'given %s and then, in the recovery from it, %s, dies both times and keeps every promise',
    async (first, second) => {
      expect(await history.dieAt(first)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });

      await diesAndKeepsItsPromises(second, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );
});

describe('the setting CRASH_SITE', () => {
  it('given an unknown site, refuses to start with one line that lists the known sites', async () => {
    const directory = temporaryDirectory();
    const app = AppProcess.spawn(directory, { FAULTS: '1', CRASH_SITE: 'sql.comit.before' });

    expect(await app.exited).toEqual({ code: 1, signal: null });
    expect(app.printed).toMatch(/^misconfigured: CRASH_SITE must be one of .*sql[.]commit[.]before.*\n$/);
    removeDirectory(directory);
  });
});
