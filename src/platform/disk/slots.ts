import { readLine } from './line-codec.js';

/** A page, more than what a disk writes in one piece: a write of one slot that is torn leaves the others whole. */
export const SLOT_BYTES = 4096;

/** The JSON of each slot, one line as `encodeLine` writes it; undefined for a slot that is empty or not whole. */
export function readSlots(bytes: Buffer, count: number): readonly (string | undefined)[] {
  return Array.from({ length: count }, (_, slot) => {
    return readLine(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES), 0).json;
  });
}
