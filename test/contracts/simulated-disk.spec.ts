import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Disk } from '../../src/kernel/index.js';
import { forEachSeed, SeededRandom } from '../support/seeded-random.js';
import { SimulatedCrash, SimulatedDisk } from '../support/simulated-disk.js';

const PATH = '/d/file';

/** Writes `text` over a synchronised, named file of `length` dots; returns the content after a loss of power, per seed. */
async function fatesOf(text: string, dots: string, synchronize: boolean): Promise<Set<string>> {
  const found = new Set<string>();
  await forEachSeed(1, 100, async (random) => {
    const simulated = new SimulatedDisk(random, new Map([[PATH, Buffer.from(dots)]]));
    const file = await simulated.attach().open(PATH);
    await file.write(Buffer.from(text), 0);
    if (synchronize) await file.synchronize();
    simulated.losePower();
    found.add(simulated.image().get(PATH)?.toString('latin1') ?? 'missing');
  });
  return found;
}

describe('SimulatedDisk when power is lost', () => {
  let simulated: SimulatedDisk;
  let disk: Disk;

  beforeEach(async () => {
    simulated = new SimulatedDisk(new SeededRandom(7));
    disk = simulated.attach();
    await disk.ensureDirectory('/d');
  });

  it('keeps synchronised data under every seed', async () => {
    expect(await fatesOf('written', '.......', true)).toEqual(new Set(['written']));
  });

  it('loses, keeps or tears unsynchronised data at a byte, as the seed decides', async () => {
    const fates = await fatesOf('written', '.......', false);

    expect(fates).toContain('.......');
    expect(fates).toContain('written');
    expect(fates).toContain('wri....');
  });

  it('may keep a later sector of a write and lose an earlier one', async () => {
    const fates = await fatesOf('x'.repeat(128), '.'.repeat(128), false);

    expect(fates).toContain('.'.repeat(64) + 'x'.repeat(64));
  });

  it('may keep a new length with zeros instead of the bytes', async () => {
    const fates = await fatesOf('12345678', '', false);

    expect([...fates].some((fate) => /^\0+$/.test(fate))).toBe(true);
  });

  it('may lose a created, renamed or removed name whose directory was not synchronised', async () => {
    const outcomes = new Set<string>();
    await forEachSeed(1, 50, async (random) => {
      simulated = new SimulatedDisk(random, new Map([['/d/old', Buffer.from('old')]]));
      disk = simulated.attach();
      await disk.open('/d/created');
      await disk.rename('/d/old', '/d/renamed');
      simulated.losePower();
      outcomes.add([...simulated.image().keys()].sort().join(' '));
    });

    expect(outcomes).toEqual(new Set(['/d/created /d/old', '/d/created /d/renamed', '/d/old', '/d/renamed']));
  });

  it('may lose the new name of a renamed directory and then keeps it whole under the old name, with later files', async () => {
    const outcomes = new Set<string>();
    await forEachSeed(1, 30, async (random) => {
      simulated = new SimulatedDisk(random, new Map([['/d/old/file', Buffer.from('old')]]));
      disk = simulated.attach();
      await disk.rename('/d/old', '/d/renamed');
      await disk.open('/d/renamed/later');
      await disk.synchronizeDirectory('/d/renamed');
      simulated.losePower();
      outcomes.add([...simulated.image().keys()].sort().join(' '));
    });

    expect(outcomes).toEqual(new Set(['/d/old/file /d/old/later', '/d/renamed/file /d/renamed/later']));
  });

  it('keeps a created name once its directory was synchronised', async () => {
    await disk.open(PATH);
    await disk.synchronizeDirectory('/d');

    simulated.losePower();

    expect([...simulated.image().keys()]).toEqual([PATH]);
  });

  it('loses data of a failed synchronisation under some seed, even when a later one succeeds', async () => {
    const found = new Set<string>();
    await forEachSeed(1, 30, async (random) => {
      simulated = new SimulatedDisk(random, new Map([[PATH, Buffer.from('.....')]]));
      const file = await simulated.attach().open(PATH);
      await file.write(Buffer.from('fsync'), 0);
      simulated.plan({ operation: 'synchronize', nth: 1, code: 'EIO' });
      await expect(file.synchronize()).rejects.toMatchObject({ code: 'EIO' });
      expect(simulated.image().get(PATH)?.toString()).toBe('fsync');
      await file.synchronize();
      simulated.losePower();
      found.add(simulated.image().get(PATH)?.toString() ?? 'missing');
    });

    expect(found).toContain('.....');
  });

  it('replays the same loss from the same seed', async () => {
    expect(await fatesOf('again and again', '', false)).toEqual(await fatesOf('again and again', '', false));
  });
});

describe('SimulatedDisk under faults', () => {
  let simulated: SimulatedDisk;
  let disk: Disk;

  beforeEach(async () => {
    simulated = new SimulatedDisk(new SeededRandom(7));
    disk = simulated.attach();
    await disk.ensureDirectory('/d');
  });

  it('keeps unsynchronised writes when only the process is killed', async () => {
    await (await disk.open(PATH)).write(Buffer.from('kept'), 0);

    simulated.kill();

    expect(simulated.image().get(PATH)?.toString()).toBe('kept');
  });

  it('refuses every call of a killed process, without effect', async () => {
    const file = await disk.open(PATH);

    simulated.kill();

    await expect(file.write(Buffer.from('late'), 0)).rejects.toThrow(SimulatedCrash);
    await expect(disk.remove(PATH)).rejects.toThrow(SimulatedCrash);
    expect(simulated.image().get(PATH)?.length).toBe(0);
  });

  it('fails the planned call of the planned kind and no other', async () => {
    const file = await disk.open(PATH);
    simulated.plan({ operation: 'truncate', nth: 2, code: 'EIO' });

    await file.truncate(3);
    await file.write(Buffer.from('abc'), 0);
    await expect(file.truncate(1)).rejects.toMatchObject({ code: 'EIO' });
    await file.truncate(2);

    expect(simulated.image().get(PATH)?.toString()).toBe('ab');
  });

  it('writes up to its capacity, then fails with ENOSPC until there is room', async () => {
    simulated.capacityBytes = 5;
    const file = await disk.open(PATH);

    await expect(file.write(Buffer.from('12345678'), 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(simulated.image().get(PATH)?.toString()).toBe('12345');

    await file.write(Buffer.from('overwriting'.slice(0, 5)), 0);
    simulated.capacityBytes = 8;
    await file.write(Buffer.from('678'), 5);
    expect(simulated.image().get(PATH)?.toString()).toBe('overw678');
  });
});
