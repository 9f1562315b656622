/**
 * Which versions a client trusts. Invariant: the version that only one node has met, however high, decides nothing about the
 * others, and no node is asked for a version that it would refuse as too far ahead.
 */
import {
  compareLamport,
  earlierOf,
  type LamportTime,
  laterOf,
  MAX_VERSION_LEAP,
  plusLamport,
} from '../../../kernel/index.js';

/** The highest version that more than half of `count` nodes have met; undefined when too few nodes have reported. */
export function metByMajority(met: readonly LamportTime[], count = met.length): LamportTime | undefined {
  return met.toSorted((left, right) => compareLamport(right, left))[Math.floor(count / 2)];
}

/** Whether a node that has met `other` would refuse a version above `met`. */
export function isFarAhead(met: LamportTime, other: LamportTime): boolean {
  return compareLamport(met, plusLamport(other, MAX_VERSION_LEAP)) >= 0;
}

/** The bound that the next version must exceed: the highest met version whose successor only lagging nodes would refuse. */
export function versionAbove(met: readonly LamportTime[]): LamportTime {
  const majority = metByMajority(met) ?? 0;
  const lowest = met.filter((time) => !isLagging(time, majority)).reduce(earlierOf, majority);
  return met.filter((time) => !isFarAhead(time, lowest)).reduce(laterOf, 0);
}

/** Whether the node would refuse a version above `after`. */
export function isLagging(met: LamportTime, after: LamportTime): boolean {
  return isFarAhead(after, met);
}

export const lagsBehind = (met: LamportTime, after: LamportTime): string =>
  `it has seen only version ${String(met)}, but others have seen ${String(after)}: run "repair" to raise it`;
