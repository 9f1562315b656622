import { afterEach, describe, expect, it } from '@jest/globals';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { someOf } from '../support/long-form.js';
import { transactionsDecidedByRecovery } from '../support/sql-file.js';
import { CONTENTION } from '../support/transaction-client.js';
import { type Death, type HistoryOptions, TwoStoreHistory } from '../support/two-store-history.js';

const TEST_TIMEOUT_MS = 180_000;
const REPLICAS = 4;

type Site = (typeof TWO_PHASE_CRASH_SITES)[number];

/** What the incarnation before left, for a recovery to die of: promised and not decided, or decided and not told. */
const UNDECIDED = '2pc.decide.before#9';
const UNTOLD = '2pc.commit.before#9';

/** How each site is reached. */
const WAYS: Readonly<Record<Site, 'any load' | 'contention' | typeof UNDECIDED | typeof UNTOLD>> = {
  '2pc.prepare.before': 'any load',
  '2pc.prepare.after': 'any load',
  '2pc.decide.before': 'any load',
  '2pc.decide.after': 'any load',
  '2pc.commit.before': 'any load',
  '2pc.commit.after': 'any load',
  '2pc.veto.before': 'contention',
  '2pc.veto.after': 'contention',
  '2pc.abort.before': 'contention',
  '2pc.abort.after': 'contention',
  '2pc.recovery.decide.before': UNDECIDED,
  '2pc.recovery.decide.after': UNDECIDED,
  '2pc.recovery.commit.before': UNTOLD,
  '2pc.recovery.commit.after': UNTOLD,
  '2pc.recovery.abort.before': UNDECIDED,
  '2pc.recovery.abort.after': UNDECIDED,
};
const sitesBy = (way: (typeof WAYS)[Site]): readonly Site[] =>
  TWO_PHASE_CRASH_SITES.filter((site) => WAYS[site] === way);

describe('kill -9 of the app at a crash site of the two-phase commit', () => {
  let history: TwoStoreHistory | undefined;

  afterEach(async () => {
    await history?.end();
    history = undefined;
  });

  const begin = async (options: HistoryOptions = {}): Promise<TwoStoreHistory> => {
    history = await TwoStoreHistory.begin(1, options);
    return history;
  };
  const diesAndKeepsItsPromises = async (shop: TwoStoreHistory, site: string, when: Death['when']): Promise<void> => {
    expect(await shop.dieAt(site)).toEqual({ code: null, signal: 'SIGKILL', printed: '', when });
    expect(await shop.audit()).toEqual([]);
  };

  it(
    'given each that any load reaches in turn, in later incarnations of the same data, dies there and keeps every promise',
    async () => {
      const shop = await begin();
      for (const site of sitesBy('any load')) {
        const end = { code: null, signal: 'SIGKILL', printed: '' };
        expect([site, await shop.dieAt(`${site}#9`)]).toMatchObject([site, end]);
      }
      expect(await shop.audit()).toEqual([]);
    },
    2 * TEST_TIMEOUT_MS,
  );

  it.each(someOf(sitesBy('any load'), 2))(
    'given %s at its first pass and, in the next incarnation, at its ninth, dies both times and keeps every promise',
    async (site) => {
      const shop = await begin();
      expect(await shop.dieAt(site)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, `${site}#9`, 'under load');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(sitesBy('contention'), 2))(
    'given %s, reached when one store refuses what the other has prepared, in two incarnations, dies both times and keeps every promise',
    async (site) => {
      const shop = await begin({ mix: CONTENTION });
      expect(await shop.dieAt(site)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, `${site}#3`, 'under load');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(sitesBy(UNTOLD), 1))(
    'given %s in the recovery from a death before participants were notified, dies there and keeps every promise',
    async (site) => {
      const shop = await begin();
      expect(await shop.dieAt(UNTOLD)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, site, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(someOf(sitesBy(UNDECIDED), 2))(
    'given %s in the recovery from a death before the decision, dies there, keeps every promise, and recovery has decided by a row',
    async (site) => {
      const shop = await begin();
      expect(await shop.dieAt(UNDECIDED)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, site, 'while starting');
      expect(transactionsDecidedByRecovery(shop.sqlFile)).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(
    someOf<[first: Site | `${Site}#${number}`, second: Site]>(
      [
        ['2pc.prepare.after#9', '2pc.recovery.abort.before'],
        ['2pc.decide.after#9', '2pc.recovery.commit.after'],
      ],
      1,
    ),
  )(
    'given %s and then, in the recovery from it, %s, dies both times and keeps every promise on four replicas too',
    async (first, second) => {
      const shop = await begin({ replicas: REPLICAS });
      expect(await shop.dieAt(first)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, second, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );
});
