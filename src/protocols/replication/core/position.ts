import type { LogPosition } from '../../../kernel/index.js';
import type { Position } from '../messages.js';

/** Before the first record of any history; the journal's GENESIS. */
export const BEGINNING: Position = { epoch: 0, seq: 0, hash: '0'.repeat(32) };

/**
 * Whether `one` is as far as `other`, or farther, in the order in which histories are up to date: by the epoch of the
 * last record, then by its number. Never by number alone.
 */
export function isAsFarAs(one: LogPosition, other: LogPosition): boolean {
  return one.epoch === other.epoch ? one.seq >= other.seq : one.epoch > other.epoch;
}

export function isAheadOf(one: LogPosition, other: LogPosition): boolean {
  return !isAsFarAs(other, one);
}
