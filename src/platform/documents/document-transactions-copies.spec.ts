import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EncodedRecord } from '../../kernel/index.js';
import { DocumentWorld } from '../../../test/support/document-world.js';
import { FollowerWorld } from '../../../test/support/follower-world.js';

describe('a transaction in a history that is copied', () => {
  let world: DocumentWorld;
  const records: EncodedRecord[] = [];

  const open = async (snapshotEveryBytes: number): Promise<void> => {
    const disk = world?.disk;
    world = new DocumentWorld({ snapshotEveryBytes, startsNoEpoch: true, ...(disk && { disk }) });
    await world.open();
    world.store.onDurable((batch) => records.push(...batch));
    await world.store.startEpoch({ epoch: world.store.position.epoch + 1 });
  };
  /** Takes one snapshot, at the end of the incarnation. */
  const restart = async (): Promise<void> => {
    await world.store.close();
    await open(1);
  };
  const prepare = (id: string, documentId: number): Promise<unknown> =>
    world.store.prepare({ id, kind: 'test', decidedBy: 'database', incarnation: 1 }, [
      { type: 'bump', collection: 'customers' },
      { type: 'create', collection: 'customers', id: documentId, fields: { name: id } },
    ]);

  beforeEach(async () => {
    records.length = 0;
    world = new DocumentWorld();
    await open(1);
    await world.create('Ada');
  });

  it('that is in doubt keeps its records readable, over snapshots and restarts, until it is decided', async () => {
    await restart();
    const { seq } = world.store.position;
    await prepare('t', 100);
    for (let incarnation = 0; incarnation < 3; incarnation += 1) {
      await world.create('Grace');
      await restart();
      const { history } = world.store;

      expect(history.firstSeq).toBeLessThanOrEqual(seq + 1);
      expect(await history.readFrom(seq + 1, 1e6)).toEqual(records.slice(seq));
    }
    await world.store.commitPrepared('t');
    await restart();
    expect(await world.store.history.readFrom(seq + 1, 1e6)).toBe('gone');
  });

  it('that is in doubt in a snapshot is in doubt in a copy of that snapshot, and is decided there by its record', async () => {
    await prepare('committed', 100);
    await prepare('aborted', 101);
    await prepare('open', 102);
    await restart();
    const snapshot = await world.store.history.openSnapshot();
    await world.store.commitPrepared('committed');
    await world.store.abortPrepared('aborted');
    const { position } = world.store;

    const byRecords = await new FollowerWorld().open();
    await byRecords.follow(records);
    const bySnapshot = await new FollowerWorld().open();
    await bySnapshot.receiveSnapshot(snapshot!.chunks);
    const { seq } = await bySnapshot.install();
    const before = bySnapshot.find('customers', 100);
    await bySnapshot.follow(records.slice(seq));
    await snapshot!.close();

    expect([before, byRecords.position, bySnapshot.position]).toEqual([undefined, position, position]);
    const hash = await world.store.history.captureState().stateHash();
    expect(await byRecords.captureState().stateHash()).toBe(hash);
    expect(await bySnapshot.captureState().stateHash()).toBe(hash);
    expect(bySnapshot.page('customers', 0, 10).documents).toEqual(world.store.page('customers', 0, 10).documents);
    expect(bySnapshot.find('customers', 1)).toMatchObject({ orders_count: 1 });
  });
});
