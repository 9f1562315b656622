import { describe, expect, it } from '@jest/globals';
import type { EncodedRecord } from '../../kernel/index.js';
import { copiedHistory } from '../../../test/support/copied-history.js';
import { DocumentWorld } from '../../../test/support/document-world.js';
import { hashOf, stateAfter } from '../../../test/support/follower-world.js';
import type { OpenSnapshot } from '../../kernel/index.js';

async function textOf(stream: OpenSnapshot | undefined): Promise<string> {
  const bytes: Buffer[] = [];
  for await (const chunk of stream?.chunks ?? []) bytes.push(chunk);
  return Buffer.concat(bytes).toString();
}

describe('DocumentStore, before its epoch has started', () => {
  it('appends nothing, serves reads and refuses every write as not-ready', async () => {
    const earlier = new DocumentWorld();
    await earlier.open();
    await earlier.create('Ada');
    const { position } = earlier.store;
    const world = new DocumentWorld({ disk: earlier.disk, startsNoEpoch: true });
    earlier.disk.kill();
    await world.open();

    for (const write of [world.create('Grace'), world.replace(1, 'late'), world.delete(7)]) {
      await expect(write).rejects.toMatchObject({ code: 'not-ready', retry: 'safe' });
    }
    expect(world.names()).toEqual([[1, 'Ada']]);
    expect(world.store.position).toEqual(position);
  });

  it('given the order to start an epoch, returns its position and accepts writes from then on', async () => {
    const world = new DocumentWorld({ startsNoEpoch: true });
    await world.open();
    expect(world.store.history.clusterId).toBeUndefined();

    const start = await world.store.startEpoch({ epoch: 7, clusterId: 'cluster', primaryId: 'primary' });
    await world.create('Ada');

    expect(start).toMatchObject({ epoch: 7, seq: 1 });
    expect(world.store.position).toMatchObject({ epoch: 7, seq: 2 });
    expect(world.store.history.clusterId).toBe('cluster');
    await expect(world.store.startEpoch({ epoch: 8 })).rejects.toThrow('cannot start');
  });

  it('given a history with a cluster id, keeps the id and refuses an epoch that the history already had', async () => {
    const earlier = new DocumentWorld();
    await earlier.open();
    const { clusterId } = earlier.store.history;
    const world = new DocumentWorld({ disk: earlier.disk, startsNoEpoch: true });
    earlier.disk.kill();
    await world.open();

    await expect(world.store.startEpoch({ epoch: 1 })).rejects.toThrow('cannot start');
    await world.store.startEpoch({ epoch: 2, clusterId: 'another' });

    expect(world.store.history.clusterId).toBe(clusterId);
  });

  it('given later records of another copy, stores them and starts its epoch after them', async () => {
    const { records } = await copiedHistory(5);
    const world = new DocumentWorld({ startsNoEpoch: true });
    await world.open();
    await world.store.follow(records.slice(0, 6));
    await world.store.follow(records.slice(6));

    expect(await world.store.history.captureState().stateHash()).toBe(await hashOf(stateAfter(records)));
    const start = await world.store.startEpoch({ epoch: world.store.position.epoch + 1 });
    expect(start.seq).toBe(records.length + 1);
    await world.create('the next one');
    await expect(world.store.follow([])).rejects.toThrow('cannot follow another primary');
  });
});

describe('DocumentStore, as the source of copies', () => {
  it('reports each durable record as the history returns it, until the listener is removed', async () => {
    const world = new DocumentWorld({ startsNoEpoch: true });
    await world.open();
    const durable: EncodedRecord[] = [];
    const stop = world.store.onDurable((records) => durable.push(...records));
    await world.store.startEpoch({ epoch: 1 });
    await Promise.all([world.create('Ada'), world.create('Grace')]);
    stop();
    await world.create('Edsger');

    expect(durable.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await world.store.history.readFrom(1, 1_000_000)).toEqual([...durable, expect.objectContaining({ seq: 4 })]);
  });

  it('given no snapshot, returns undefined', async () => {
    const world = new DocumentWorld();
    await world.open();

    expect(await world.store.history.openSnapshot()).toBeUndefined();
  });

  it('given a snapshot that is being read, returns all of it and keeps the records after it, while newer snapshots replace it', async () => {
    const world = new DocumentWorld({ snapshotEveryBytes: 800, clients: 3 });
    await world.open();
    await world.write(5);
    const stream = await world.store.history.openSnapshot();
    const text = world.snapshotText();
    const behind = (stream?.position.seq ?? 0) + 1;
    await world.write(15);
    const { history } = world.store;

    expect(world.snapshotText()).not.toBe(text);
    expect(await textOf(stream)).toBe(text);
    expect(stream).toMatchObject({ sizeBytes: text?.length, position: { seq: behind - 1 } });
    expect(JSON.parse(text ?? '')).toMatchObject({ _meta: { seq: behind - 1 } });
    expect(await history.readFrom(behind, 1_000)).not.toBe('gone');
    await stream?.close();
    await world.write(15);
    await world.store.history.openSnapshot();
    expect(await history.readFrom(behind, 1_000)).toBe('gone');
  });

  it('given a snapshot that is being replaced, returns the position that belongs to the returned file', async () => {
    const world = new DocumentWorld({ snapshotEveryBytes: 800, clients: 3 });
    await world.open();
    const streams: Promise<OpenSnapshot | undefined>[] = [];
    world.disk.beforeCall = ({ operation }) => {
      if (operation === 'rename') streams.push(world.store.history.openSnapshot());
      return Promise.resolve();
    };
    await world.write(12);
    world.disk.beforeCall = undefined;
    const opened = await Promise.all(streams);

    expect(opened.length).toBeGreaterThan(1);
    for (const stream of opened) {
      const { _meta } = JSON.parse(await textOf(stream)) as { readonly _meta: { readonly seq: number } };
      expect(stream?.position.seq).toBe(_meta.seq);
    }
  });
});
