import { TwoStoreHistory } from '../support/two-store-history.js';
import { dieTwiceInCheckouts, FIRST_CHECKOUT_SITES, SECOND_CHECKOUT_SITES } from './double-checkout-deaths.js';
import { dieTwice, type DoubleDeath, FIRST_SITES, SECOND_SITES } from './double-deaths.js';

/** What scripts/crash.mjs read from its command line. */
interface Options {
  readonly minutes: number;
  /** The number of a pair, from 1. */
  readonly from: number;
  readonly replicas: number;
  readonly first?: string;
  readonly second?: string;
  readonly seed: number;
  /** Checkouts instead of transactions. */
  readonly checkouts?: boolean;
}

/** Each first site with each second one, in a new data directory. */
const values = JSON.parse(process.argv[2] ?? '{}') as Options;

const { from, seed, replicas, checkouts = false } = values;
const sites = checkouts
  ? { first: FIRST_CHECKOUT_SITES, second: SECOND_CHECKOUT_SITES }
  : { first: FIRST_SITES, second: SECOND_SITES };
const pairs = sites.first
  .filter((site) => values.first === undefined || site.startsWith(values.first))
  .flatMap((first) => sites.second.map((second) => ({ first, second })))
  .filter(({ second }) => values.second === undefined || second.startsWith(values.second));
const endMs = performance.now() + values.minutes * 60_000;

const deaths: DoubleDeath[] = [];
for (const [index, { first, second }] of pairs.entries()) {
  if (index + 1 < from) continue;
  if (performance.now() > endMs) break;
  const death = await (checkouts ? dieTwiceInCheckouts : dieTwiceInTransactions)(seed + index, first, second);
  deaths.push(death);
  console.log(`${index + 1}/${pairs.length} ${first}, ${second}: ${messageOf(death)}`);
}

const failed = deaths.filter(({ broken }) => broken.length > 0);
const neverFirst = missing(pairs, 'first', ({ diedFirst }) => diedFirst);
const neverSecond = missing(pairs, 'second', ({ diedAgain }) => diedAgain !== 'not reached');
if (deaths.length === pairs.length) {
  for (const site of [...neverFirst, ...neverSecond]) console.log(`${site} was never reached, which is a failure`);
} else if (from + deaths.length <= pairs.length) {
  console.log(`The time is over: go on with --from ${from + deaths.length}.`);
}
console.log(`${deaths.length} of ${pairs.length} pairs, ${failed.length} failed; seed ${seed}`);
const isHit = deaths.length < pairs.length || neverFirst.length + neverSecond.length === 0;
process.exitCode = failed.length === 0 && isHit ? 0 : 1;

async function dieTwiceInTransactions(ofPair: number, first: string, second: string): Promise<DoubleDeath> {
  const history = await TwoStoreHistory.begin(ofPair, { replicas });
  try {
    return await dieTwice(history, first, second);
  } finally {
    await history.end();
  }
}

function messageOf({ diedFirst, diedAgain, broken }: DoubleDeath): string {
  if (broken.length > 0) return `BROKEN\n  ${broken.join('\n  ')}`;
  if (!diedFirst) return 'the first was not reached';
  return diedAgain === 'not reached' ? 'the second was not reached; whole' : `died ${diedAgain}; whole`;
}

/** The sites of which no pair came to be. */
function missing(
  all: readonly Pick<DoubleDeath, 'first' | 'second'>[],
  position: 'first' | 'second',
  isReached: (death: DoubleDeath) => boolean,
): readonly string[] {
  const reached = new Set(deaths.filter(isReached).map((death) => death[position]));
  return [...new Set(all.map((pair) => pair[position]))].filter((site) => !reached.has(site));
}
