/**
 * The numbers of a Lamport clock (L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978)
 * that many hands turn: it must neither come to an end nor be turned to it by one of them.
 */

/** A whole number from 0. Above 2^53 - 1, which a number cannot hold exactly, its decimal digits. JSON carries both. */
export type LamportTime = number | string;

/** Nobody who does not know better is so far ahead of another, or is believed to be. */
export const MAX_VERSION_LEAP = 1_000_000;

const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,29})$/;

/** Undefined for what is no whole number of up to 30 digits. */
export function parseLamport(text: string): LamportTime | undefined {
  return WHOLE_NUMBER.test(text) ? shortest(BigInt(text)) : undefined;
}

/** Negative, 0 or positive, as `sort` wants it. */
export function compareLamport(left: LamportTime, right: LamportTime): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [one, other] = [BigInt(left), BigInt(right)];
  return one < other ? -1 : one > other ? 1 : 0;
}

export function laterOf(left: LamportTime, right: LamportTime): LamportTime {
  return compareLamport(left, right) < 0 ? right : left;
}

export function earlierOf(left: LamportTime, right: LamportTime): LamportTime {
  return compareLamport(left, right) < 0 ? left : right;
}

export function plusLamport(time: LamportTime, more: number): LamportTime {
  const sum = Number(time) + more;
  return Number.isSafeInteger(sum) ? sum : shortest(BigInt(time) + BigInt(more));
}

/** How far a node that has met `met` can be told to go at once: by a leap, or to where versions once ended. */
export function maxRaise(met: LamportTime): LamportTime {
  return laterOf(Number.MAX_SAFE_INTEGER, plusLamport(met, MAX_VERSION_LEAP));
}

function shortest(value: bigint): LamportTime {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}
