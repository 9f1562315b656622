import { v7 as uuidV7 } from 'uuid';
import type { Clock, Random } from '../../kernel/index.js';

const UUID_BYTES = 16;
/** Sequences within a millisecond begin in the lower half of this range, so that there is room to count. */
const SEQUENCES = 2 ** 32;

/** Makes UUIDs of version 7: unique everywhere, and ordered by time to the millisecond. */
export function uuids({ clock, random }: { readonly clock: Clock; readonly random: Random }): () => string {
  return () => uuidV7({ random: random.bytes(UUID_BYTES), msecs: clock.nowMs() });
}

/** Like `uuids`, but strictly increasing, even after a clock is set back: a random-start counter (RFC 9562, 6.2, method 1). */
export function risingUuids({ clock, random }: { readonly clock: Clock; readonly random: Random }): () => string {
  let msecs = -Infinity;
  let seq = 0;
  return () => {
    const bytes = random.bytes(UUID_BYTES);
    const nowMs = clock.nowMs();
    if (nowMs > msecs) {
      msecs = nowMs;
      seq = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) >>> 1;
    } else if (seq + 1 < SEQUENCES) {
      seq += 1;
    } else {
      msecs += 1;
      seq = 0;
    }
    return uuidV7({ random: bytes, msecs, seq });
  };
}
