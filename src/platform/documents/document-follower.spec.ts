import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type CopiedHistory, copiedHistory } from '../../../test/support/copied-history.js';
import { DOCUMENTS_DIRECTORY } from '../../../test/support/document-world.js';
import {
  FollowerWorld,
  hashOf,
  inChunks,
  recordLines,
  REPLICA_DIRECTORY,
  stateAfter,
} from '../../../test/support/follower-world.js';

const WRITES = 8;

describe('DocumentFollower', () => {
  let history: CopiedHistory;
  let world: FollowerWorld;
  const until = (seq: number): CopiedHistory['records'] => history.records.slice(0, seq);
  const from = (seq: number): CopiedHistory['records'] => history.records.slice(seq - 1);
  const isAt = async (seq: number): Promise<void> => {
    expect(world.follower.position).toMatchObject({ seq });
    expect(await world.follower.captureState().stateHash()).toBe(await hashOf(stateAfter(until(seq))));
  };

  beforeAll(async () => {
    history = await copiedHistory(WRITES);
  });

  beforeEach(async () => {
    world = new FollowerWorld();
    await world.open();
  });

  it('without data, reports an empty history', () => {
    const { clusterId, promise, position, firstSeq } = world.follower;
    expect({ clusterId, promise, position, firstSeq }).toEqual({
      clusterId: undefined,
      promise: undefined,
      position: { epoch: 0, seq: 0, hash: '0'.repeat(32) },
      firstSeq: 1,
    });
  });

  it('given a primary’s records, has identical record lines and the same state', async () => {
    const { records } = history;
    await world.follower.follow(records.slice(0, 3));
    await world.follower.follow(records.slice(3));

    const expected = recordLines(history.disk.image(), DOCUMENTS_DIRECTORY);
    expect(world.recordLines()).toHaveLength(records.length);
    expect(world.recordLines().slice(-expected.length)).toEqual(expected);
    await isAt(records.length);
    expect([world.follower.firstSeq, world.follower.clusterId]).toEqual([1, expect.any(String)]);
  });

  it('given records that do not follow, refuses all of them and writes nothing', async () => {
    await world.follower.follow(until(3));
    const [first, second, third] = from(4);
    const spoiled = second && { ...second, json: second.json.replace('"at":', '"at":1') };
    const lines = world.recordLines();

    for (const batch of [[second], [first, third], [first, spoiled], until(1)]) {
      const refused = world.follower.follow(batch.flatMap((record) => record ?? []));
      await expect(refused).rejects.toMatchObject({ code: 'conflict' });
    }

    expect(world.recordLines()).toEqual(lines);
    await world.follower.follow(from(4));
    await isAt(history.records.length);
  });

  it('given a promise, keeps it over a restart', async () => {
    await world.follower.keepPromise({ epoch: 3 });
    await world.follower.keepPromise({ epoch: 4 });
    world.disk.losePower();
    await world.open();

    expect(world.follower.promise).toEqual({ epoch: 4 });
  });

  it('given a promise without room on the disk, refuses as storage-full and keeps the old promise', async () => {
    await world.follower.keepPromise({ epoch: 1 });
    world.disk.plan({ nth: 1, operation: 'write', code: 'ENOSPC' });

    await expect(world.follower.keepPromise({ epoch: 2 })).rejects.toMatchObject({ code: 'storage-full' });

    expect(world.follower.promise).toEqual({ epoch: 1 });
    expect(world.process.isStopped).toBe(false);
    await world.follower.keepPromise({ epoch: 2 });
  });

  it('given a damaged promise file, refuses to start and names it', async () => {
    await world.follower.keepPromise({ epoch: 12 });
    const path = `${REPLICA_DIRECTORY}/promise.json`;
    const good = world.disk.image().get(path) ?? Buffer.alloc(0);
    world.disk.plant(path, Buffer.from(good.toString().replace('12', '11')));

    await expect(world.open()).rejects.toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(path) });
  });

  it('given damaged durable records, refuses to start and names file and offset', async () => {
    await world.follower.follow(until(6));
    await world.follower.close();
    const path = `${REPLICA_DIRECTORY}/documents/journal-0000000000000001-000001.log`;
    const bytes = world.disk.image().get(path) ?? Buffer.alloc(0);
    const offset = bytes.indexOf('"seq":3');
    bytes[offset] = 0x41;
    world.disk.plant(path, bytes);

    await expect(world.open()).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(new RegExp(`${path}.* at byte \\d+`)),
    });
  });

  describe('given a snapshot', () => {
    const receive = (): Promise<unknown> => world.follower.receiveSnapshot(inChunks(history.snapshot));

    it('changes nothing while it arrives, is at its position once it is installed, and continues from there', async () => {
      await world.follower.follow(until(4));

      expect(await receive()).toMatchObject({ seq: history.snapshotSeq });
      await isAt(4);
      expect(await world.follower.install()).toMatchObject({ seq: history.snapshotSeq });
      await isAt(history.snapshotSeq);
      await world.follower.follow(from(history.snapshotSeq + 1));
      await isAt(history.records.length);
      world.disk.losePower();
      await world.open();
      await isAt(history.records.length);
    });

    it('reports the covered records as gone, knows the position of the last one and returns all later records', async () => {
      await world.follower.follow(until(4));
      await receive();
      await world.follower.install();
      await world.follower.follow(from(history.snapshotSeq + 1));
      const { follower } = world;

      expect(follower.firstSeq).toBe(history.snapshotSeq + 1);
      expect(await follower.readFrom(1, 1_000)).toBe('gone');
      expect(await follower.positionAt(3)).toBe('gone');
      expect(await follower.positionAt(history.snapshotSeq)).toMatchObject({ seq: history.snapshotSeq });
      expect(await follower.readFrom(follower.firstSeq, 1_000_000)).toEqual(from(follower.firstSeq));
    });

    it('that is not ahead, refuses to install it', async () => {
      await receive();
      await world.follower.follow(until(history.snapshotSeq));

      await expect(world.follower.install()).rejects.toMatchObject({ code: 'conflict' });
      await isAt(history.snapshotSeq);
    });

    it('that is incomplete or changed, refuses it and leaves nothing of it behind', async () => {
      const spoiled = Buffer.from(history.snapshot);
      spoiled[20] = 0x41;
      for (const bytes of [spoiled, history.snapshot.subarray(0, -2), Buffer.alloc(0)]) {
        await expect(world.follower.receiveSnapshot(inChunks(bytes))).rejects.toMatchObject({ code: 'data-corrupt' });
        await expect(world.follower.install()).rejects.toMatchObject({ code: 'conflict' });
      }

      expect([...world.disk.image().keys()].filter((path) => path.includes('incoming'))).toEqual([]);
    });

    it('that breaks off, rejects with the error of the sender, and accepts the next snapshot', async () => {
      const broken = async function* (): AsyncGenerator<Buffer> {
        yield history.snapshot.subarray(0, 50);
        throw new Error('connection lost');
      };

      await expect(world.follower.receiveSnapshot(broken())).rejects.toThrow('connection lost');

      await receive();
      expect(await world.follower.install()).toMatchObject({ seq: history.snapshotSeq });
    });

    it('while another snapshot arrives, refuses it and continues to store records', async () => {
      await world.follower.follow(until(2));
      const receiving = receive();

      await expect(receive()).rejects.toMatchObject({ code: 'conflict', retry: 'safe' });
      await world.follower.follow(from(3).slice(0, 1));
      await receiving;
      expect(world.follower.position.seq).toBe(3);
    });

    it('received by an earlier process, removes it', async () => {
      await receive();
      world.disk.kill();
      await world.open();

      await expect(world.follower.install()).rejects.toMatchObject({ code: 'conflict' });
      expect([...world.disk.image().keys()].filter((path) => path.includes('incoming'))).toEqual([]);
    });
  });

  it('given the order to quarantine, begins empty and keeps the data under a new name each time', async () => {
    const { follower } = world;
    await follower.follow(until(9));
    const lines = world.recordLines();
    const names = [await follower.quarantine()];
    expect([follower.position.seq, follower.clusterId]).toEqual([0, undefined]);
    expect(follower.page('customers', 0, 10).total).toBe(0);

    await follower.follow(until(5));
    world.disk.losePower();
    await world.open();
    expect(world.follower.position.seq).toBe(5);
    names.push(await world.follower.quarantine());
    await world.follower.follow(until(9));

    expect(names).toEqual(['quarantined-2026-11-21T00-00-00.000Z', 'quarantined-2026-11-21T00-00-00.000Z-2']);
    expect(world.quarantined()).toEqual(names);
    expect(world.recordLines(`${REPLICA_DIRECTORY}/${String(names[0])}`)).toEqual(lines);
  });

  it('given the order to quarantine without data, keeps nothing', async () => {
    expect(await world.follower.quarantine()).toBeUndefined();
    expect(world.quarantined()).toEqual([]);
  });

  it('answers every read while it installs and quarantines', async () => {
    const { follower } = world;
    await follower.follow(until(4));
    await follower.receiveSnapshot(inChunks(history.snapshot));
    const totals = new Set<number>();
    world.disk.beforeCall = () => {
      totals.add(follower.page('customers', 0, 10).total);
      return Promise.resolve();
    };

    await follower.install();
    const installed = follower.page('customers', 0, 10).total;
    await follower.quarantine();

    expect([...totals].every((total) => total > 0)).toBe(true);
    expect([...totals]).toContain(installed);
  });

  it('takes snapshots of its own, and hands them to a recovery', async () => {
    world = new FollowerWorld(world.disk, 1);
    const follower = await world.open();
    await follower.follow(history.records);
    await follower.close();
    await world.open();

    const stream = await world.follower.openSnapshot();
    const bytes: Buffer[] = [];
    for await (const chunk of stream?.chunks ?? []) bytes.push(chunk);
    await stream?.close();

    const other = new FollowerWorld();
    await (await other.open()).receiveSnapshot(inChunks(Buffer.concat(bytes)));
    expect(await other.follower.install()).toEqual(stream?.position);
    expect(await other.follower.captureState().stateHash()).toBe(await world.follower.captureState().stateHash());
  });
});
