/** The position of a record in the documents' history, without the hash that proves it. */
export interface LogPosition {
  readonly epoch: number;
  readonly seq: number;
}

/** The last record has number `seq`, and `hash` covers it and all records before it. `seq` 0 is before the first record. */
export interface ChainPosition extends LogPosition {
  readonly hash: string;
}

export const GENESIS: ChainPosition = { epoch: 0, seq: 0, hash: '0'.repeat(32) };

/** The position as people and clients see it: `<epoch>.<seq>`. */
export function logPositionText({ epoch, seq }: LogPosition): string {
  return `${String(epoch)}.${String(seq)}`;
}

/** Parts that are not numbers become NaN. */
export function parseLogPosition(text: string): LogPosition {
  const [epoch = NaN, seq = NaN] = text.split('.').map(Number);
  return { epoch, seq };
}

/** Whether `one` is at least as up to date as `other`: by the epoch of the last record first, by number only within an epoch. */
export function isAsFarAs(one: LogPosition, other: LogPosition): boolean {
  return one.epoch === other.epoch ? one.seq >= other.seq : one.epoch > other.epoch;
}

export function isAheadOf(one: LogPosition, other: LogPosition): boolean {
  return !isAsFarAs(other, one);
}
