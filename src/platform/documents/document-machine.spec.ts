import { describe, expect, it } from '@jest/globals';
import { GENESIS } from '../journal/index.js';
import { DocumentMachine } from './document-machine.js';

describe('a record of a kind that this version does not know', () => {
  it('is refused and named: to pass over it would make another state of the same history', () => {
    const machine = new DocumentMachine([{ name: 'customers', counterField: 'orders_count' }], GENESIS);
    const record = { epoch: 1, seq: 1, hash: 'h', at: 0, op: { type: 'rename' } as never };

    expect(() => machine.apply(record)).toThrow('record 1 is of a kind that this version does not know: rename');
  });
});
