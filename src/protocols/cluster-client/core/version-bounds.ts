/**
 * Which numbers a client believes. Invariant: what one node alone has met decides nothing about the others, however high
 * it is, and no node is asked for a number that it would refuse as too far ahead.
 */
import {
  compareLamport,
  earlierOf,
  type LamportTime,
  laterOf,
  MAX_VERSION_LEAP,
  plusLamport,
} from '../../../kernel/index.js';

/** The highest that more than half of `count` nodes have met; undefined when too few of them have said. */
export function metByMajority(met: readonly LamportTime[], count = met.length): LamportTime | undefined {
  return met.toSorted((left, right) => compareLamport(right, left))[Math.floor(count / 2)];
}

/** A node that has met `other` would refuse what comes above `met`. */
export function isFarAhead(met: LamportTime, other: LamportTime): boolean {
  return compareLamport(met, plusLamport(other, MAX_VERSION_LEAP)) >= 0;
}

/** What the next operation has to be above: the highest that any node has met and that none but those that lag would refuse. */
export function versionAbove(met: readonly LamportTime[]): LamportTime {
  const majority = metByMajority(met) ?? 0;
  const lowest = met.filter((time) => !isLagging(time, majority)).reduce(earlierOf, majority);
  return met.filter((time) => !isFarAhead(time, lowest)).reduce(laterOf, 0);
}

/** It would refuse what comes above `after`. */
export function isLagging(met: LamportTime, after: LamportTime): boolean {
  return isFarAhead(after, met);
}

export const lagsBehind = (met: LamportTime, after: LamportTime): string =>
  `it has met version ${String(met)} only, where others have met ${String(after)}: "repair" raises it`;
