import { describe, expect, it } from '@jest/globals';
import type { EncodedRecord } from '../../../kernel/index.js';
import { RecordTail } from './record-tail.js';

const RECORD_CHARACTERS = 100;

function record(seq: number): EncodedRecord {
  return { epoch: 1, seq, hash: `hash-${String(seq)}`, json: 'x'.repeat(RECORD_CHARACTERS) };
}

function tailWith(first: number, last: number, maxLength = 1_000_000): RecordTail {
  const tail = new RecordTail(maxLength);
  for (let seq = first; seq <= last; seq += 1) tail.push([record(seq)]);
  return tail;
}

function seqsOf(records: readonly EncodedRecord[] | undefined): readonly number[] | undefined {
  return records?.map(({ seq }) => seq);
}

describe('the newest records', () => {
  it('after a record that is held, are all that follow it', () => {
    expect(seqsOf(tailWith(5, 9).after(6, 9, 10_000))).toEqual([7, 8, 9]);
  });

  it('up to a record that is held, end with it', () => {
    expect(seqsOf(tailWith(5, 9).after(4, 6, 10_000))).toEqual([5, 6]);
  });

  it('after the last record, are none', () => {
    expect(seqsOf(tailWith(5, 9).after(9, 9, 10_000))).toEqual([]);
  });

  it('after a record that is too old, or before any was pushed, are unknown', () => {
    expect(tailWith(5, 9).after(3, 9, 10_000)).toBeUndefined();
    expect(new RecordTail(10).after(0, 0, 10)).toBeUndefined();
  });

  it('within a limit, are as many as begin within it and at least one', () => {
    expect(seqsOf(tailWith(5, 9).after(4, 9, RECORD_CHARACTERS + 1))).toEqual([5, 6]);
    expect(seqsOf(tailWith(5, 9).after(4, 9, 1))).toEqual([5]);
  });

  it('beyond the limit of the tail, drop the oldest and keep the others findable', () => {
    const tail = tailWith(1, 100, 10 * RECORD_CHARACTERS);

    expect(tail.after(50, 100, 10_000)).toBeUndefined();
    expect(seqsOf(tail.after(95, 100, 10_000))).toEqual([96, 97, 98, 99, 100]);
    expect(tail.positionAt(100)).toEqual({ epoch: 1, seq: 100, hash: 'hash-100' });
    expect(tail.positionAt(1)).toBeUndefined();
  });
});
