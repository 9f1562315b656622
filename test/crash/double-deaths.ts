import type { SNAPSHOT_CRASH_SITES } from '../../src/platform/documents/index.js';
import type { JOURNAL_CRASH_SITES } from '../../src/platform/journal/index.js';
import type { SQL_CRASH_SITES } from '../../src/platform/sql/index.js';
import { TWO_PHASE_CRASH_SITES } from '../../src/protocols/two-phase-commit/index.js';
import type { Death, TwoStoreHistory } from '../support/two-store-history.js';

const isOfRecovery = (site: string): boolean => site.startsWith('2pc.recovery.');
/** How often it is reached first: seldom reached ones would take long otherwise, and the others shall have company. */
const TIMES: readonly (readonly [RegExp, string])[] = [
  [/^2pc[.](veto|abort)[.]/, '#3'],
  [/^(snapshot|journal[.]begin)/, '#2'],
  [/^/, '#9'],
];

type Site =
  | (typeof TWO_PHASE_CRASH_SITES)[number]
  | (typeof SQL_CRASH_SITES)[number]
  | (typeof JOURNAL_CRASH_SITES)[number]
  | (typeof SNAPSHOT_CRASH_SITES)[number];

const BELOW_FIRST: readonly Site[] = [
  ...(['sql.commit.before', 'sql.commit.after'] as const),
  ...(['journal.write.before', 'journal.write.after', 'journal.synchronize.after'] as const),
  ...(['snapshot.rename.after', 'snapshot.directory.after', 'journal.begin-segment.written'] as const),
];
const BELOW_SECOND: readonly Site[] = [
  ...(['sql.epoch.after', 'sql.commit.before', 'sql.commit.after'] as const),
  ...(['journal.write.after', 'journal.synchronize.after', 'journal.begin-segment.written'] as const),
];

/** Where an incarnation under load dies. */
export const FIRST_SITES: readonly string[] = [
  ...TWO_PHASE_CRASH_SITES.filter((site) => !isOfRecovery(site)),
  ...BELOW_FIRST,
].map((site) => `${site}${TIMES.find(([pattern]) => pattern.test(site))?.[1] ?? ''}`);

/** Where the next one dies: in its recovery, if that comes so far. */
export const SECOND_SITES: readonly string[] = [...TWO_PHASE_CRASH_SITES.filter(isOfRecovery), ...BELOW_SECOND];

export interface DoubleDeath {
  readonly first: string;
  readonly second: string;
  readonly diedFirst: boolean;
  readonly diedAgain: Death['when'] | 'not reached';
  /** One sentence for each broken promise. */
  readonly broken: readonly string[];
}

/** Two incarnations that die one after the other, and the audit of what is left. */
export async function dieTwice(history: TwoStoreHistory, first: string, second: string): Promise<DoubleDeath> {
  const death = await history.dieAt(first);
  const again = await history.dieAt(second, isOfRecovery(second) ? { max: 0 } : {});
  const odd = [death, again].flatMap((one) =>
    one === undefined || one.signal === 'SIGKILL' ? [] : [`it ended by itself: ${one.printed}`],
  );
  return {
    ...{ first, second },
    diedFirst: death !== undefined,
    diedAgain: again?.when ?? 'not reached',
    // A incarnation that does not start any more is a broken promise like the others.
    broken: [...odd, ...(await history.audit().catch((error: unknown) => [String(error)]))],
  };
}
