import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { TurnMeter } from '../../../test/support/turn-meter.js';
import type { EncodedRecord } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { NodeDisk } from '../disk/index.js';
import { nextTurn, systemClock, systemRandom, systemTimers } from '../process/index.js';
import { DocumentFollower, DocumentStore } from './index.js';

const MANY = 100_000;
const LONGEST_MS = 100;
const RECORDS_BYTES = 1024 * 1024;
const COLLECTIONS = [{ name: 'customers', counterField: 'orders_count' }];
const NEVER = 1e12;

const ports = {
  ...{ disk: new NodeDisk(), crashSites: NO_CRASH_SITES, log: new RecordingLog(), clock: systemClock },
  ...{ random: systemRandom, nextTurn, timers: systemTimers, process: new RecordingProcessControl() },
};

function expectShort(longestMs: Readonly<Record<string, number>>): void {
  expect(Object.entries(longestMs).filter(([, ms]) => ms >= LONGEST_MS)).toEqual([]);
}

/** Nothing else, above all no echo, is answered during a turn. */
describe(`with ${String(MANY)} documents no turn of the event loop takes 100 ms of CPU`, () => {
  const root = mkdtempSync(join(tmpdir(), 'bifolio-turns-'));
  let store: DocumentStore;

  const open = (snapshotEveryBytes: number): Promise<DocumentStore> =>
    DocumentStore.open(ports, {
      ...{ directory: join(root, 'documents'), collections: COLLECTIONS, snapshotEveryBytes },
      journalReserveBytes: 0,
    });
  const create = (name: string): Promise<unknown> => {
    const stamp = { id: name, source: 'server' } as never;
    return store.create('customers', { name, email: 'ada@example.org' }, stamp);
  };
  const snapshots = (): string[] =>
    readdirSync(join(root, 'documents')).filter((name) => /^documents-.*json$/.test(name));

  beforeAll(async () => {
    store = await open(NEVER);
    await store.startEpoch({ epoch: 1 });
    for (let from = 0; from < MANY; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => create(`customer ${String(from + index)}`)));
    }
  });

  afterAll(async () => {
    await store.close();
    rmSync(root, { recursive: true });
  });

  it('in a start from the journal, a snapshot, and a start from the snapshot', async () => {
    await store.close();
    const fromJournal = await TurnMeter.longestTurnOf(async () => {
      store = await open(1);
    });
    const ofSnapshot = await TurnMeter.longestTurnOf(async () => {
      await store.startEpoch({ epoch: 2 });
      await create('one more');
      while (snapshots().length === 0) await new Promise(setImmediate);
      await store.close();
    });
    const fromSnapshot = await TurnMeter.longestTurnOf(async () => {
      store = await open(NEVER);
    });

    expectShort({ fromJournal, ofSnapshot, fromSnapshot });
  });

  it('in lists and in the hash of the state', async () => {
    const ofLists = await TurnMeter.longestTurnOf(async () => {
      for (let after = 0; after < MANY; after += 1_000) {
        expect(store.page('customers', after, 1_000).documents).toHaveLength(1_000);
        await new Promise(setImmediate);
      }
    });
    const ofHash = await TurnMeter.longestTurnOf(() => store.history.captureState().stateHash());

    expectShort({ ofLists, ofHash });
  });

  it('in a replica that catches up, from a snapshot and from records', async () => {
    const options = {
      directory: join(root, 'replica'),
      collections: COLLECTIONS,
      snapshotEveryBytes: NEVER,
      journalReserveBytes: 0,
    };
    const follower = await DocumentFollower.open(ports, options);
    const bySnapshot = await TurnMeter.longestTurnOf(async () => {
      const snapshot = await store.history.openSnapshot();
      if (snapshot === undefined) throw new Error('there is no snapshot');
      await follower.receiveSnapshot(snapshot.chunks);
      await follower.install();
      await snapshot.close();
    });
    const epochStart = await store.startEpoch({ epoch: 3 });
    for (let from = 0; from < MANY / 2; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => create(`later ${String(from + index)}`)));
    }
    const byRecords = await TurnMeter.longestTurnOf(async () => {
      for (let seq = follower.position.seq + 1; seq <= store.position.seq; seq = follower.position.seq + 1) {
        const records = await store.history.readFrom(seq, RECORDS_BYTES);
        await follower.follow(records as readonly EncodedRecord[]);
      }
    });
    await follower.close();

    expect(epochStart.epoch).toBe(3);
    expectShort({ bySnapshot, byRecords });
  });
});
