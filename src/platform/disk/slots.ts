import { readLine } from './line-codec.js';

/** One page, larger than a disk's atomic write unit, so that a torn write of one slot leaves the others whole. */
export const SLOT_BYTES = 4096;

/** Returns the JSON of each slot, one line as `encodeLine` writes it; undefined for a slot that is empty or torn. */
export function readSlots(bytes: Buffer, count: number): readonly (string | undefined)[] {
  return Array.from({ length: count }, (_, slot) => {
    return readLine(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES), 0).json;
  });
}
