import { SeededRandom } from './seeded-random.js';

/** `npm test -- --long`: each round and each case, not only as many as every change must pass. */
const IS_LONG = process.env['TEST_LONG'] === 'on';

/** How often to do something whose number is not the point. */
export function rounds(short: number, long: number): number {
  return IS_LONG ? long : short;
}

/**
 * In the long form all of these; else `count` of them, in their order, other ones in each run. Those that were chosen must be in the
 * name of the test or in what a failure shows.
 */
export function someOf<T>(all: readonly T[], count: number): T[] {
  if (IS_LONG || count >= all.length) return [...all];
  const random = new SeededRandom(Math.random() * 2 ** 32);
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(random.below(all.length));
  return all.filter((_, index) => chosen.has(index));
}
