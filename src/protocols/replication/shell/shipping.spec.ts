import { describe, expect, it } from '@jest/globals';
import type { CopyableHistory, EncodedRecord } from '../../../kernel/index.js';
import { Shipping } from './shipping.js';

const FIRST_ON_DISK = 10;

const record = (seq: number): EncodedRecord => ({ epoch: 1, seq, hash: `hash-${String(seq)}`, json: '{}' });

function shippingWith(...seqs: readonly number[]): Shipping {
  const history = { firstSeq: FIRST_ON_DISK } as unknown as CopyableHistory;
  const shipping = new Shipping(history, { primaryUrl: () => '', batchBytes: 1_000 });
  shipping.remember(seqs.map(record));
  return shipping;
}

describe('the records behind a replica', () => {
  it('that a snapshot has just replaced on the disk, can be shipped while they are in memory', () => {
    const shipping = shippingWith(5, 6, 7, 8, 9, 10);

    expect([4, 5, 8].map((seq) => shipping.canShipAfter(seq))).toEqual([false, true, true]);
  });

  it('that are neither in memory nor on the disk, cannot be shipped', () => {
    expect([FIRST_ON_DISK - 2, FIRST_ON_DISK - 1].map((seq) => shippingWith().canShipAfter(seq))).toEqual([
      false,
      true,
    ]);
  });
});
