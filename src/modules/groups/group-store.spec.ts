import { describe, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { GROUP_DIRECTORY, GROUP_SNAPSHOT, GroupWorld } from '../../../test/support/group-world.js';

const OFTEN = { snapshotEveryBytes: 2_000 };
const HOUR = 3_600_000;

/** As a snapshot file is closed. */
function withChecksum(body: string): Buffer {
  return Buffer.from(`${body},"_checksum":"${crc32(body).toString(16).padStart(8, '0')}"}\n`);
}

async function written(world: GroupWorld, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    await world.create(`group ${String(number)}`);
    if (number % 3 === 0) await world.remove(`group ${String(number)}`);
  }
}

describe('a group store', () => {
  it('given a reopening after a clean end and a loss of power, has the same groups, answers and versions', async () => {
    const world = new GroupWorld();
    await world.open();
    await world.create('a', 'first');
    await world.create('b');
    await world.undoCreate('never came', 'late');
    await world.remove('b');

    for (const reopen of [() => world.store.close().then(() => world.open()), () => world.reopenAfterPowerLoss()]) {
      const store = await reopen();
      expect([store.all(), store.version, store.has('b')]).toEqual([['a'], 3, false]);
      expect(await world.create('a', 'first')).toEqual({ result: 'done', version: 1, removed: 0, isRepeat: true });
      expect(await world.create('never came', 'late')).toEqual({ result: 'undone' });
    }
  });

  it('given an operation that changes nothing, writes nothing', async () => {
    const world = new GroupWorld();
    await world.open();
    await world.create('a', 'first');
    await world.undoCreate('b', 'second');
    world.disk.calls.length = 0;

    await world.create('a', 'first');
    await world.create('b', 'second');
    await world.undoCreate('b', 'second');

    expect(world.disk.calls).toEqual([]);
  });

  it('given the same operation many times at once, carries it out once', async () => {
    const world = new GroupWorld();
    await world.open();

    const outcomes = await Promise.all(Array.from({ length: 5 }, () => world.create('a', 'first')));

    expect(outcomes.map((outcome) => 'isRepeat' in outcome && outcome.isRepeat)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect((await world.reopenAfterPowerLoss()).version).toBe(1);
  });

  it('given an operation and its undo at once, in either order, ends undone and reports that from then on', async () => {
    const world = new GroupWorld();
    await world.open();

    await Promise.all([world.create('a', 'first'), world.undoCreate('a', 'first')]);
    const [, refused] = await Promise.all([world.undoCreate('b', 'second'), world.create('b', 'second')]);

    expect(refused).toEqual({ result: 'undone' });
    expect(await world.create('a', 'first')).toEqual({ result: 'undone' });
    expect((await world.reopenAfterPowerLoss()).all()).toEqual([]);
  });

  it('given a repeat while the undo is in progress, answers from the durable state, and never done after the undo', async () => {
    const world = new GroupWorld();
    await world.open();
    await world.create('a', 'first');
    const order: string[] = [];

    await Promise.all([
      world.undoCreate('a', 'first').then(() => order.push('undone')),
      world.create('a', 'first').then(({ result }) => order.push(result)),
    ]);

    expect(order).toEqual(['done', 'undone']);
    expect(await world.create('a', 'first')).toEqual({ result: 'undone' });
  });

  it('given enough in the journal, takes a snapshot, shortens the journal, and reopens in the same state', async () => {
    const world = new GroupWorld(undefined, OFTEN);
    await world.open();
    await written(world, 5);
    expect(world.snapshotPath).toBe('');
    await written(world, 100);
    const before = [world.store.all(), world.store.version];
    await world.store.close();

    const journaled = world.segments.map((path) => world.disk.image().get(path)!.length);
    expect(world.segments).toEqual([expect.not.stringContaining('0000000000000001-000001.log')]);
    expect(journaled[0]).toBeLessThan(2 * OFTEN.snapshotEveryBytes);
    expect(JSON.parse(world.disk.image().get(world.snapshotPath)!.toString())).toMatchObject({ _meta: { format: 1 } });
    const store = await world.open();
    expect([store.all(), store.version]).toEqual(before);
    expect([(await world.reopenAfterPowerLoss()).all(), world.store.version]).toEqual(before);
  });

  it('given a close during a snapshot, waits for the snapshot and begins no other', async () => {
    const world = new GroupWorld(undefined, OFTEN);
    await world.open();
    const writes = written(world, 40);
    await writes;
    await world.store.close();
    const { length } = world.disk.calls;

    await new Promise(setImmediate);

    expect(world.disk.calls).toHaveLength(length);
    expect([...world.disk.image().keys()]).not.toContainEqual(expect.stringMatching(/groups-.*\.tmp$/));
  });

  it('given a day and a snapshot, has forgotten operations that no group needs, and kept the others', async () => {
    const world = new GroupWorld(undefined, OFTEN);
    await world.open();
    await written(world, 60);
    const groups = world.store.all();
    world.clock.advance(25 * HOUR);
    await written(world, 60);
    await world.store.close();

    const text = world.disk.image().get(world.snapshotPath)!.toString();
    expect(text).not.toContain('"id":"op-2"');
    expect((await world.open()).all()).toEqual(groups);
  });

  it('given no room for a snapshot, warns, continues, leaves no remains, and takes a later one', async () => {
    const world = new GroupWorld(undefined, OFTEN);
    await world.open();
    let isFull = true;
    world.disk.beforeCall = ({ operation, path }) =>
      isFull && operation === 'write' && GROUP_SNAPSHOT.test(path)
        ? Promise.reject(Object.assign(new Error('planned'), { code: 'ENOSPC' }))
        : Promise.resolve();
    await written(world, 60);

    expect(world.log.warnings).toContain('the snapshot of the groups failed; the journal keeps growing');
    expect([...world.disk.image().keys()]).not.toContainEqual(expect.stringMatching(GROUP_SNAPSHOT));
    isFull = false;
    await written(world, 60);
    const before = world.store.all();
    await world.store.close();
    expect(world.snapshotPath).not.toBe('');
    expect((await world.open()).all()).toEqual(before);
  });

  it('given a full disk, rejects with storage-full and changes nothing, but accepts an undo from the reserve', async () => {
    const world = new GroupWorld(undefined, { journalReserveBytes: 4_096 });
    await world.open();
    await world.create('a', 'first');
    world.disk.capacityBytes = [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);

    await expect(world.create('b')).rejects.toMatchObject({ code: 'storage-full', retry: 'safe' });
    expect([world.store.all(), world.store.version]).toEqual([['a'], 1]);
    expect(await world.undoCreate('a', 'first')).toEqual({ result: 'undo-done', isThere: false });
    await expect(world.create('c')).rejects.toMatchObject({ code: 'storage-full' });
    expect(world.process.isStopped).toBe(false);

    expect([(await world.reopenAfterPowerLoss()).all(), world.store.version]).toEqual([[], 1]);
    world.disk.capacityBytes = Infinity;
    expect(await world.create('d')).toMatchObject({ result: 'done', version: 2 });
  });

  it('given a failing disk, reports the outcome as unknown and stops the process', async () => {
    const world = new GroupWorld();
    await world.open();
    world.disk.plan({ nth: 1, operation: 'synchronize', code: 'EIO' });

    await expect(world.create('a')).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(world.process.isStopped).toBe(true);
    expect(world.store.has('a')).toBe(false);
  });

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['a byte of it is wrong', (bytes) => Buffer.from(bytes.toString().replace('"group', '"grou_')), /checksum/],
    ['it is cut short', (bytes) => bytes.subarray(0, bytes.length - 40), /checksum/],
    ['it is empty', () => Buffer.alloc(0), /checksum/],
    ['its format is of the future', (bytes) => reformed(bytes, '"format":1', '"format":2'), /unknown format 2/],
    ['it has no format', () => withChecksum('{"operations":[]'), /not a snapshot of groups/],
    ['it is no JSON', () => withChecksum('{"_meta":'), /not a snapshot of groups/],
    ['it has no operations', (bytes) => reformed(bytes, '"operations"', '"others"'), /not a snapshot of groups/],
  ])('given a damaged snapshot (%s), does not open, and names the file', async (_, damage, words) => {
    const world = new GroupWorld(undefined, OFTEN);
    await world.open();
    await written(world, 40);
    await world.store.close();
    const path = world.snapshotPath;
    world.disk.plant(path, damage(world.disk.image().get(world.snapshotPath)!));

    const opening = world.open();

    await expect(opening).rejects.toMatchObject({ code: 'data-corrupt', retry: 'never' });
    await expect(opening).rejects.toThrow(path);
    await expect(opening).rejects.toThrow(words);
  });

  it('given a damaged journal, does not open, and names the file', async () => {
    const world = new GroupWorld();
    await world.open();
    await written(world, 10);
    await world.store.close();
    const [segment] = world.segments;
    const bytes = Buffer.from(world.disk.image().get(segment!)!.toString().replace('"group 1"', '"group 7"'));
    world.disk.plant(segment!, bytes);

    await expect(world.open()).rejects.toMatchObject({ code: 'data-corrupt' });
    await expect(world.open()).rejects.toThrow(GROUP_DIRECTORY);
  });
});

function reformed(bytes: Buffer, from: string, to: string): Buffer {
  const body = bytes.toString().replace(/,"_checksum":.*\n$/, '');
  return withChecksum(body.replace(from, to));
}

describe('a group store whose versions are near the largest safe integer', () => {
  const LAST = Number.MAX_SAFE_INTEGER;

  /** As earlier builds left it when one caller had brought the last number. */
  async function poisoned(world: GroupWorld): Promise<void> {
    const store = await world.open();
    await store.raise(LAST - 1);
    await store.apply({ type: 'do', id: 'zzz', kind: 'clear', version: LAST });
  }

  it('continues with higher versions, and has the same groups after a restart', async () => {
    const world = new GroupWorld();
    await poisoned(world);

    expect(await world.create('a')).toMatchObject({ result: 'done', version: '9007199254740992' });
    expect(await world.remove('a')).toMatchObject({ result: 'done', version: '9007199254740993' });
    expect(await world.create('a')).toMatchObject({ result: 'done', version: '9007199254740994' });
    for (const reopen of [() => world.store.close().then(() => world.open()), () => world.reopenAfterPowerLoss()]) {
      const store = await reopen();
      expect([store.all(), store.version]).toEqual([['a'], '9007199254740994']);
    }
  });

  it('has the same groups from a snapshot', async () => {
    const world = new GroupWorld(undefined, OFTEN);
    await poisoned(world);
    await written(world, 40);
    const before = [world.store.all(), world.store.version];
    await world.store.close();

    expect(world.snapshotPath).not.toBe('');
    const store = await world.open();
    expect([store.all(), store.version]).toEqual(before);
  });

  it('writes nothing for a version too far ahead, and keeps a raised version', async () => {
    const world = new GroupWorld();
    const store = await world.open();
    world.disk.calls.length = 0;

    expect(await store.apply({ type: 'do', id: 'zzz', kind: 'clear', version: LAST })).toEqual({
      ...{ result: 'too-far', met: 0 },
    });
    expect(world.disk.calls).toEqual([]);
    expect(await store.raise(5_000_000)).toBe(5_000_000);
    expect(await store.raise(7)).toBe(5_000_000);
    expect(await store.raise('9007199254740992')).toBeUndefined();
    expect((await world.reopenAfterPowerLoss()).version).toBe(5_000_000);
    expect(await world.create('a')).toMatchObject({ version: 5_000_001 });
  });

  it('is raised to 2^53 - 1 at once, and from there in steps', async () => {
    const store = await new GroupWorld().open();

    expect(await store.raise(LAST)).toBe(LAST);
    expect(await store.raise('9007199255740992')).toBeUndefined();
    expect(await store.raise('9007199255740991')).toBe('9007199255740991');
  });
});
