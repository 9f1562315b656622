import { afterEach, describe, expect, it } from '@jest/globals';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import { type Death, type DeathOptions, TwoStoreHistory } from '../support/two-store-history.js';

const TEST_TIMEOUT_MS = 180_000;
const REPLICAS = 4;

type Site = (typeof TWO_PHASE_CRASH_SITES)[number];

/** What the life before left, for a recovery to die of: promised and not decided, or decided and not told. */
const UNDECIDED = '2pc.decide.before#9';
const UNTOLD = '2pc.commit.before#9';

/** How each site is reached. */
const WAYS: Readonly<Record<Site, 'any load' | 'held replicas' | typeof UNDECIDED | typeof UNTOLD>> = {
  '2pc.prepare.before': 'any load',
  '2pc.prepare.after': 'any load',
  '2pc.decide.before': 'any load',
  '2pc.decide.after': 'any load',
  '2pc.commit.before': 'any load',
  '2pc.commit.after': 'any load',
  '2pc.veto.before': 'held replicas',
  '2pc.veto.after': 'held replicas',
  '2pc.abort.before': 'held replicas',
  '2pc.abort.after': 'held replicas',
  '2pc.recovery.decide.before': UNDECIDED,
  '2pc.recovery.decide.after': UNDECIDED,
  '2pc.recovery.commit.before': UNTOLD,
  '2pc.recovery.commit.after': UNTOLD,
  '2pc.recovery.abort.before': UNDECIDED,
  '2pc.recovery.abort.after': UNDECIDED,
};
const sitesBy = (way: (typeof WAYS)[Site]): readonly Site[] =>
  TWO_PHASE_CRASH_SITES.filter((site) => WAYS[site] === way);

/** Deadlines as they are by default: what replicas do not hold in time is aborted. */
const IMPATIENT = { REPLICA_TIMEOUT_MS: '500', PREPARE_DEADLINE_MS: '1000', WRITE_DEADLINE_MS: '2000' };

describe('kill -9 of the app at a crash site of the two-phase commit', () => {
  let history: TwoStoreHistory | undefined;

  afterEach(async () => {
    await history?.end();
    history = undefined;
  });

  const begin = async (replicas = 0): Promise<TwoStoreHistory> => {
    history = await TwoStoreHistory.begin(1, { replicas });
    return history;
  };
  const diesAndKeepsItsPromises = async (
    shop: TwoStoreHistory,
    site: string,
    when: Death['when'],
    options?: DeathOptions,
  ): Promise<void> => {
    expect(await shop.dieAt(site, options)).toEqual({ code: null, signal: 'SIGKILL', printed: '', when });
    expect(await shop.audit()).toEqual([]);
  };

  it.each(sitesBy('any load'))(
    'given %s for the first time and, in a later life, for the ninth, dies there and keeps every promise',
    async (site) => {
      const shop = await begin();
      await diesAndKeepsItsPromises(shop, site, 'under load');
      await diesAndKeepsItsPromises(shop, `${site}#9`, 'under load');
    },
    TEST_TIMEOUT_MS,
  );

  it.each(sitesBy('held replicas'))(
    'given %s, reached when replicas stop answering before they hold a promise, dies there and keeps every promise',
    async (site) => {
      const shop = await begin(REPLICAS);
      const disturb = (): void => {
        for (const replica of shop.cluster.replicas.slice(1)) replica.hold();
      };
      await diesAndKeepsItsPromises(shop, site, 'under load', { settings: IMPATIENT, disturb });
    },
    TEST_TIMEOUT_MS,
  );

  it.each([...sitesBy(UNDECIDED), ...sitesBy(UNTOLD)])(
    'given %s in the recovery from an earlier death, dies there and keeps every promise',
    async (site) => {
      const shop = await begin();
      expect(await shop.dieAt(WAYS[site])).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, site, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );

  it.each<[first: Site | `${Site}#${number}`, second: Site]>([
    ['2pc.prepare.after#9', '2pc.recovery.abort.before'],
    ['2pc.decide.after#9', '2pc.recovery.commit.after'],
  ])(
    'given %s and then, in the recovery from it, %s, dies both times and keeps every promise on four replicas too',
    async (first, second) => {
      const shop = await begin(REPLICAS);
      expect(await shop.dieAt(first)).toMatchObject({ signal: 'SIGKILL', when: 'under load' });
      await diesAndKeepsItsPromises(shop, second, 'while starting');
    },
    TEST_TIMEOUT_MS,
  );
});
