/**
 * A Lamport clock (L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978) that many nodes advance:
 * it must never run out, and no single node may drive it to its end.
 */

/** A whole number from 0; above 2^53 - 1, where a number is inexact, a string of decimal digits. JSON carries both. */
export type LamportTime = number | string;

/** No honest node is so far ahead of another, so a larger leap is not believed. */
export const MAX_VERSION_LEAP = 1_000_000;

const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,29})$/;

/** Undefined unless the text is a whole number of up to 30 digits. */
export function parseLamport(text: string): LamportTime | undefined {
  return WHOLE_NUMBER.test(text) ? shortest(BigInt(text)) : undefined;
}

/** Negative, 0 or positive, as `sort` expects. */
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

/** The highest value that a node which has seen `met` accepts at once: one leap ahead, or where versions once ended. */
export function maxRaise(met: LamportTime): LamportTime {
  return laterOf(Number.MAX_SAFE_INTEGER, plusLamport(met, MAX_VERSION_LEAP));
}

function shortest(value: bigint): LamportTime {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}
