import { describe, expect, it } from '@jest/globals';
import { GROUP_SNAPSHOT, GroupWitness, GroupWorld } from '../../../test/support/group-world.js';
import { forEachSeed, SeededRandom } from '../../../test/support/seeded-random.js';
import { type DiskFault, SimulatedCrash } from '../../../test/support/simulated-disk.js';
import type { Disk, DiskFile } from '../../kernel/index.js';
import type { GroupOp } from './core/group-history.js';

/** Small, so that a short life meets several snapshots. */
const OFTEN = { snapshotEveryBytes: 1_200 };
const OPERATIONS = 24;
const PLANNED: readonly unknown[] = ['EIO', 'ENOSPC', 'outcome-unknown', 'storage-full'];

function anything(world: GroupWorld, earlier: readonly GroupOp[]): GroupOp {
  const { random } = world;
  const before = earlier[random.below(earlier.length + 1)];
  if (before !== undefined && random.chance(0.3)) return { ...before, type: 'undo' };
  if (random.chance(0.05)) return { type: 'do', id: world.newId(), kind: 'clear' };
  const kind = random.chance(0.7) ? 'create' : 'delete';
  return { type: 'do', id: world.newId(), kind, groupId: `group ${String(random.below(6))}` };
}

/** One client, whatever the disk does. Gives what it was told and must not have been. */
async function live(world: GroupWorld, witness: GroupWitness, count: number): Promise<readonly string[]> {
  const wrong: string[] = [];
  const told: GroupOp[] = [];
  let op: GroupOp | undefined;
  try {
    for (let number = 0; number < count; number += 1) {
      op = anything(world, told);
      const answer = witness.answered(op, await world.store.apply(op));
      if (answer !== undefined) wrong.push(answer);
      told.push(op);
      op = undefined;
    }
    await world.store.close();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (!(error instanceof SimulatedCrash) && !PLANNED.includes(code)) throw error;
    if (op !== undefined && code !== 'storage-full') witness.lost(op);
  }
  return wrong;
}

async function liveAndReopen(world: GroupWorld, witness: GroupWitness): Promise<readonly string[]> {
  const wrong = await live(world, witness, OPERATIONS);
  await world.reopenAfterPowerLoss();
  const lost = witness.found(world.store);
  return lost === undefined ? wrong : [...wrong, lost];
}

async function callsOfAnIncarnation(): Promise<{ readonly count: number; readonly paths: readonly string[] }> {
  const world = new GroupWorld(new SeededRandom(5), OFTEN);
  await world.open();
  world.disk.calls.length = 0;
  await live(world, new GroupWitness(), OPERATIONS);
  return { count: world.disk.calls.length, paths: world.disk.calls.map(({ path }) => path) };
}

describe('a group store whose process dies', () => {
  it.each<[string, DiskFault['code']]>([
    ['the process dies', 'killed'],
    ['the disk fails', 'EIO'],
    ['the disk is full', 'ENOSPC'],
  ])(
    'given that %s at any disk call of an incarnation with snapshots, reopens with everything acknowledged and nothing that was not requested',
    async (_, code) => {
      const { count, paths } = await callsOfAnIncarnation();
      expect(paths).toContainEqual(expect.stringMatching(GROUP_SNAPSHOT));
      for (let nth = 1; nth <= count; nth += 1) {
        const world = new GroupWorld(new SeededRandom(5), OFTEN);
        const witness = new GroupWitness();
        await world.open();
        world.disk.plan({ nth, code });

        expect({ nth, wrong: await liveAndReopen(world, witness) }).toEqual({ nth, wrong: [] });
      }
    },
  );

  it('given a death at any disk call of a start behind a snapshot, reopens in the same state', async () => {
    const world = new GroupWorld(new SeededRandom(5), OFTEN);
    const witness = new GroupWitness();
    await world.open();
    await live(world, witness, OPERATIONS);
    world.disk.calls.length = 0;
    await world.open();
    const { length } = world.disk.calls;
    expect(length).toBeGreaterThan(5);
    for (let nth = 1; nth <= length; nth += 1) {
      world.disk.losePower();
      world.disk.plan({ nth, code: 'killed' });
      await world.open().catch((error: unknown) => {
        expect((error as Error).cause ?? error).toBeInstanceOf(SimulatedCrash);
      });
      await world.reopenAfterPowerLoss();

      expect({ nth, wrong: witness.found(world.store) }).toEqual({ nth, wrong: undefined });
    }
  });

  it('given losses of power at any moment, keeps everything acknowledged under any seed', async () => {
    await forEachSeed(1, 40, async (random) => {
      const world = new GroupWorld(random, OFTEN);
      const witness = new GroupWitness();
      await world.open();
      for (let life = 0; life < 5; life += 1) {
        world.disk.plan({ nth: 1 + random.below(90), code: 'killed' });
        const wrong = await liveAndReopen(world, witness);
        if (wrong.length > 0) throw new Error(`life ${String(life)}: ${wrong.join('; ')}`);
      }
    });
  });

  it('given a disk that falsely reports durability, is found to have lost acknowledged operations', async () => {
    const found: string[] = [];
    await forEachSeed(1, 20, async (random) => {
      let isLying = false;
      const world = new GroupWorld(random, { spoilDisk: (disk) => lyingDisk(disk, () => isLying) });
      const witness = new GroupWitness();
      await world.open();
      isLying = true;
      const op = { type: 'do', id: 'first', kind: 'create', groupId: 'a' } as const;
      witness.answered(op, await world.store.apply(op));
      isLying = false;
      await world.reopenAfterPowerLoss();
      found.push(...[witness.found(world.store)].filter((wrong) => wrong !== undefined));
    });

    expect(found).toContain('[[],0] is there and not [["a"],1]');
  });
});

function lyingDisk(disk: Disk, isLying: () => boolean): Disk {
  const lying = (file: DiskFile): DiskFile => ({
    write: (bytes, offset) => file.write(bytes, offset),
    synchronize: () => (isLying() ? Promise.resolve() : file.synchronize()),
    truncate: (length) => file.truncate(length),
    close: () => file.close(),
  });
  return {
    list: (directory) => disk.list(directory),
    listDirectories: (directory) => disk.listDirectories(directory),
    read: (path) => disk.read(path),
    open: async (path) => lying(await disk.open(path)),
    create: async (path) => lying(await disk.create(path)),
    openForReading: (path) => disk.openForReading(path),
    ensureDirectory: (path) => disk.ensureDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    synchronizeDirectory: (path) => disk.synchronizeDirectory(path),
  };
}
