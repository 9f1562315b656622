import { v7 as uuidV7 } from 'uuid';
import { SeededRandom } from './seeded-random.js';

const UUID_BYTES = 16;

/** A UUID of version 7: of one time, a higher number gives a higher id. */
export function transactionId(timeMs: number, number: number): string {
  return uuidV7({ msecs: timeMs, seq: number, random: new SeededRandom(number).bytes(UUID_BYTES) });
}
