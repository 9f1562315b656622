import { beforeEach, describe, expect, it } from '@jest/globals';
import { storageFull, type EncodedRecord } from '../../../kernel/index.js';
import { MemoryReplica } from '../../../../test/support/memory-replica.js';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { GENESIS_POSITION, positionOf, primaryOf, recordsAfter } from '../../../../test/support/replication-world.js';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import type { PrimaryIdentity } from '../messages.js';
import { type FollowedPrimary, ReplicaShell } from './replica-shell.js';
import type { ShippedAppend } from './wire.js';

const FIRST = primaryOf(1);
const SECOND = primaryOf(2);
const RECORDS = recordsAfter(GENESIS_POSITION, 1, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);

let store: MemoryReplica;
let timers: SimulatedTimers;
let heard: FollowedPrimary[];
let shell: ReplicaShell;

beforeEach(() => {
  store = new MemoryReplica();
  timers = new SimulatedTimers();
  heard = [];
  shell = new ReplicaShell({ store, timers, log: new RecordingLog() }, (primary) => heard.push(primary));
});

/** The records with these numbers, which follow the record before them. */
function append(firstSeq: number, lastSeq: number, more: Partial<ShippedAppend> = {}): ShippedAppend {
  const records = RECORDS.slice(firstSeq - 1, lastSeq);
  const before: EncodedRecord | undefined = RECORDS[firstSeq - 2];
  return {
    from: FIRST,
    after: before ? positionOf(before) : GENESIS_POSITION,
    durableSeq: lastSeq,
    records,
    primaryUrl: 'http://127.0.0.1:5050',
    audit: false,
    ...more,
  };
}

async function* bytes(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

const outcome = async (
  promise: Promise<{ verdict: string; report: { position: { seq: number } } }>,
): Promise<string> => {
  const { verdict, report } = await promise;
  return `${verdict} at ${String(report.position.seq)}`;
};

describe('a replica that receives appends', () => {
  it('makes the promise durable before the first record, and answers after both', async () => {
    expect(await outcome(shell.append(append(1, 2)))).toBe('accepted at 2');
    expect(store.steps).toEqual(['promise 1', 'follow 1 2', 'promise 1 votes']);
  });

  it('given several at once, handles one after the other', async () => {
    const outcomes = [append(1, 2), append(3, 3), append(4, 6)].map((message) => outcome(shell.append(message)));
    expect(await Promise.all(outcomes)).toEqual(['accepted at 2', 'accepted at 3', 'accepted at 6']);
  });

  it('given a repeated or an overlapping append, stores every record once', async () => {
    await shell.append(append(1, 3));
    expect(await outcome(shell.append(append(1, 3)))).toBe('accepted at 3');
    expect(await outcome(shell.append(append(2, 5)))).toBe('accepted at 5');
    expect(store.steps.filter((step) => step.startsWith('follow'))).toEqual(['follow 1 2 3', 'follow 4 5']);
    expect(shell.counts).toMatchObject({ appendedRecords: 5, lag: 0 });
  });

  it('given a late append of records that it holds, keeps its position', async () => {
    await shell.append(append(1, 6));
    expect(await outcome(shell.append(append(1, 2)))).toBe('accepted at 6');
  });

  it('given an append that begins beyond its position, stores nothing and reports a gap', async () => {
    await shell.append(append(1, 2));
    expect(await outcome(shell.append(append(5, 6)))).toBe('gap at 2');
    expect(shell.counts.lag).toBe(4);
  });

  it('given an append of an older primary, or of a second primary in the epoch, stores nothing and does not follow it', async () => {
    await shell.append(append(1, 2, { from: SECOND, primaryUrl: 'http://127.0.0.1:2' }));
    const second: PrimaryIdentity = { ...SECOND, primaryId: 'another' };
    expect(await outcome(shell.append(append(3, 4)))).toBe('stale-epoch at 2');
    expect(await outcome(shell.append(append(3, 4, { from: second })))).toBe('stale-epoch at 2');
    expect(shell.followed).toEqual({ ...SECOND, url: 'http://127.0.0.1:2' });
    expect(heard).toHaveLength(1);
  });

  it('given an append without room on the disk, refuses it and stores the next', async () => {
    store.failure = storageFull(undefined);
    await expect(shell.append(append(1, 2))).rejects.toMatchObject({ code: 'storage-full' });
    expect(await outcome(shell.append(append(1, 2)))).toBe('accepted at 2');
  });

  it('given another history, stores nothing, and quarantines its own when the primary asks for it', async () => {
    await shell.append(append(1, 2));
    const others = recordsAfter(GENESIS_POSITION, 1, ['x', 'y', 'z']);
    const other = append(1, 3, { records: others });
    expect(await outcome(shell.append(other))).toBe('diverged at 2');
    expect(await outcome(shell.quarantine(FIRST))).toBe('accepted at 0');
    expect(await outcome(shell.append(other))).toBe('accepted at 3');
    expect(shell.counts).toMatchObject({ quarantines: 1, appendedRecords: 5 });
  });
});

describe('a replica that is asked for a promise', () => {
  it('makes it durable, and refuses the records of the earlier primary', async () => {
    await shell.append(append(1, 2));
    expect(await outcome(shell.promise({ epoch: 7, primaryId: 'recovery' }))).toBe('accepted at 2');
    expect(await outcome(shell.append(append(3, 4)))).toBe('stale-epoch at 2');
    expect(store.promise?.promisedEpoch).toBe(7);
  });
});

describe('a replica that receives a snapshot', () => {
  const position = positionOf(RECORDS[5]!);

  beforeEach(() => {
    store.snapshotPosition = position;
  });

  it('of another position than announced, refuses it and installs nothing', async () => {
    store.snapshotPosition = { ...position, hash: 'another history' };
    await expect(shell.install({ from: FIRST, position }, bytes('ab'))).rejects.toMatchObject({ code: 'data-corrupt' });
    expect(store.position.seq).toBe(0);
  });

  it('stores all of it, then installs it', async () => {
    expect(await outcome(shell.install({ from: FIRST, position }, bytes('ab', 'cd')))).toBe('accepted at 6');
    expect(store.steps).toEqual(['receive abcd', 'promise 1', 'install 6']);
    expect(shell.counts.installedSnapshots).toBe(1);
  });

  it('that is not ahead, or of an older primary, reads no byte of it', async () => {
    await shell.append(append(1, 8, { from: SECOND }));
    let isRead = false;
    const unread = async function* (): AsyncGenerator<Buffer> {
      isRead = true;
      yield Buffer.from('');
    };
    expect(await outcome(shell.install({ from: SECOND, position }, unread()))).toBe('accepted at 8');
    expect(await outcome(shell.install({ from: FIRST, position }, unread()))).toBe('stale-epoch at 8');
    expect(isRead).toBe(false);
  });

  it('while another snapshot arrives, refuses it, and accepts appends meanwhile', async () => {
    let goOn = (): void => undefined;
    const slow = async function* (): AsyncGenerator<Buffer> {
      await new Promise<void>((resolve) => (goOn = resolve));
      yield Buffer.from('slow');
    };
    const first = outcome(shell.install({ from: FIRST, position }, slow()));
    expect(await outcome(shell.append(append(1, 2)))).toBe('accepted at 2');
    await expect(shell.install({ from: FIRST, position }, bytes('x'))).rejects.toMatchObject({ code: 'not-ready' });
    goOn();
    expect(await first).toBe('accepted at 6');
  });

  it('that is cut short, refuses it and can receive it again', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      throw new Error('cut short');
    };
    await expect(shell.install({ from: FIRST, position }, broken())).rejects.toThrow('cut short');
    expect(store.position.seq).toBe(0);
    expect(await outcome(shell.install({ from: FIRST, position }, bytes('ab')))).toBe('accepted at 6');
  });
});

describe('the state hashes of a replica', () => {
  it('given an append with audit, contain the hash of exactly its last position, even after later appends', async () => {
    await shell.append(append(1, 3, { audit: true }));
    await shell.append(append(4, 6));
    expect(await shell.stateHash(3)).toEqual({ position: positionOf(RECORDS[2]!), stateHash: 'hash at 3' });
    expect(await shell.stateHash(6)).toBeUndefined();
    expect(await shell.stateHash(undefined)).toEqual({ position: positionOf(RECORDS[5]!), stateHash: 'hash at 6' });
  });

  it('given an audit of a position that the replica has passed or not reached, contain no hash of it', async () => {
    await shell.append(append(1, 6));
    await shell.append(append(1, 3, { audit: true }));
    await shell.append(append(8, 8, { audit: true }));
    expect([await shell.stateHash(3), await shell.stateHash(8)]).toEqual([undefined, undefined]);
  });

  it('given an audit without new records, contain the hash of its position', async () => {
    await shell.append(append(1, 3));
    await shell.append(append(4, 3, { audit: true }));
    expect(await shell.stateHash(3)).toMatchObject({ stateHash: 'hash at 3' });
  });

  it('given many audits, contain the last few', async () => {
    for (let seq = 1; seq <= 8; seq += 1) await shell.append(append(seq, seq, { audit: true }));
    const kept = await Promise.all(RECORDS.map(({ seq }) => shell.stateHash(seq)));
    expect(kept.map((found) => found !== undefined)).toEqual([false, false, false, false, true, true, true, true]);
  });

  it('given a quarantine, contain none of the quarantined data', async () => {
    await shell.append(append(1, 3, { audit: true }));
    await shell.quarantine(FIRST);
    expect(await shell.stateHash(3)).toBeUndefined();
  });
});

describe('a caller that waits for a write on a replica', () => {
  const isSettled = async (promise: Promise<unknown>): Promise<boolean> =>
    Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);

  it('is answered as soon as the write arrives, or at once', async () => {
    const waiting = shell.whenAt({ epoch: 1, seq: 3 }, 1_000);
    await shell.append(append(1, 2));
    expect(await isSettled(waiting)).toBe(false);
    await shell.append(append(3, 4));
    expect(await waiting).toBe(true);
    expect(await shell.whenAt({ epoch: 1, seq: 2 }, 1_000)).toBe(true);
  });

  it('is answered when a snapshot contains the write', async () => {
    const waiting = shell.whenAt({ epoch: 1, seq: 3 }, 1_000);
    store.snapshotPosition = positionOf(RECORDS[5]!);
    await shell.install({ from: FIRST, position: store.snapshotPosition }, bytes('ab'));
    expect(await waiting).toBe(true);
  });

  it('is answered after its deadline that the write is missing', async () => {
    const waiting = shell.whenAt({ epoch: 1, seq: 3 }, 1_000);
    timers.pass(999);
    expect(await isSettled(waiting)).toBe(false);
    timers.pass(1);
    expect(await waiting).toBe(false);
  });

  it('for a write of a newer epoch, is not answered by the same number in an older epoch', async () => {
    const waiting = shell.whenAt({ epoch: 2, seq: 3 }, 1_000);
    await shell.append(append(1, 4));
    expect(await isSettled(waiting)).toBe(false);
    await shell.append({
      ...append(5, 4, { from: SECOND }),
      records: recordsAfter(positionOf(RECORDS[3]!), 2, ['new epoch']),
    });
    expect(await waiting).toBe(true);
  });
});
