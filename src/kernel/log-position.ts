/** Of a record in the documents' history, without the hash that proves it. */
export interface LogPosition {
  readonly epoch: number;
  readonly seq: number;
}

/** The record with this number was the last one, and `hash` covers it and all before it. `seq` 0 is before the first. */
export interface ChainPosition extends LogPosition {
  readonly hash: string;
}

/** Before the first record of any history. */
export const GENESIS: ChainPosition = { epoch: 0, seq: 0, hash: '0'.repeat(32) };

/** As people and clients see it: `<epoch>.<seq>`. */
export function logPositionText({ epoch, seq }: LogPosition): string {
  return `${String(epoch)}.${String(seq)}`;
}

/** NaN for what is no number. */
export function parseLogPosition(text: string): LogPosition {
  const [epoch = NaN, seq = NaN] = text.split('.').map(Number);
  return { epoch, seq };
}

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
