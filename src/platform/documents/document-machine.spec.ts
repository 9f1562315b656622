import { describe, expect, it } from '@jest/globals';
import { GENESIS } from '../../kernel/index.js';
import type { JournalRecord } from '../journal/index.js';
import { DocumentMachine, type DocumentsSnapshot } from './document-machine.js';
import type { DocumentOp } from './document-op.js';
import { stateHash } from './state-hash.js';

describe('a record of an unknown kind', () => {
  it('is refused by name, because skipping it would give the same history another state', () => {
    const machine = new DocumentMachine([{ name: 'customers', counterField: 'orders_count' }], GENESIS);
    const record = { epoch: 1, seq: 1, hash: 'h', at: 0, op: { type: 'rename' } as never };

    expect(() => machine.apply(record)).toThrow('record 1 is of a kind that this version does not know: rename');
  });
});

describe('two copies of one history whose snapshots an earlier version took at different positions', () => {
  const SOME = 3_000;
  let seq = 0;

  const start = (retention?: 2): JournalRecord<DocumentOp> => {
    const op = { type: 'epoch-started', clusterId: 'c', primaryId: 'p', ...(retention && { retention }) } as const;
    return { epoch: 1, seq: (seq += 1), hash: String(seq), at: seq, op };
  };
  const write = (): JournalRecord<DocumentOp> => {
    const operation = { id: `id ${String(seq)}` };
    const op = { type: 'put', collection: 'users', id: 'a', fields: { n: seq }, operation } as const;
    return { epoch: 1, seq: (seq += 1), hash: String(seq), at: seq, op };
  };
  const copy = (snapshot?: DocumentsSnapshot): DocumentMachine => {
    const machine = new DocumentMachine([{ name: 'users', ids: 'text' }], GENESIS);
    if (snapshot) machine.restore(snapshot);
    return machine;
  };

  it('hold the same operations before and after the record that raises their limit', async () => {
    seq = 0;
    let [one, other] = [copy(), copy()];
    const both = (record: JournalRecord<DocumentOp>): void => [one, other].forEach((machine) => machine.apply(record));
    both(start());
    for (let n = 0; n < SOME; n += 1) both(write());
    one = copy(one.capture());
    for (let n = 0; n < SOME; n += 1) both(write());
    other = copy(other.capture());
    expect(await stateHash(one.capture(), setImmediate)).toBe(await stateHash(other.capture(), setImmediate));

    both(start(2));
    for (let n = 0; n < SOME; n += 1) both(write());
    expect([...one.operations.capture()]).toHaveLength(SOME + 1_000);
    one = copy(one.capture());
    for (let n = 0; n < SOME; n += 1) both(write());
    expect([...one.operations.capture()]).toEqual([...other.operations.capture()]);
    expect(await stateHash(one.capture(), setImmediate)).toBe(await stateHash(other.capture(), setImmediate));
  });
});
