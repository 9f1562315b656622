import { beforeEach, describe, expect, it } from '@jest/globals';
import { JOURNAL_DIRECTORY, JournalWorld } from '../../../test/support/journal-world.js';
import { forEachSeed, SeededRandom } from '../../../test/support/seeded-random.js';
import type { DiskFault } from '../../../test/support/simulated-disk.js';

const RESERVE_BYTES = 1000;

/** Every operation of the journal, several times. An error of one step goes to its caller; the script continues. */
const SCRIPT: readonly ((world: JournalWorld) => Promise<unknown>)[] = [
  (world) => world.appendTogether(2),
  (world) => world.append(),
  (world) => world.journal.rotate(),
  (world) => world.appendTogether(3),
  (world) => {
    world.takeSnapshot();
    return world.removeCovered();
  },
  (world) => Promise.all([world.appendTogether(2), world.journal.rotate(), world.append({ reserved: true })]),
  (world) => world.append(),
  (world) => world.journal.close(),
];

const segmentsIn = (image: ReadonlyMap<string, Buffer>): unknown =>
  [...image].filter(([path]) => path.startsWith(`${JOURNAL_DIRECTORY}/`));

/** Resolves when a process has finished the script or could not start. */
async function runScript(world: JournalWorld): Promise<void> {
  try {
    await world.open();
  } catch {
    return;
  }
  for (const step of SCRIPT) await step(world).catch(() => undefined);
}

async function countCalls(): Promise<number> {
  const world = new JournalWorld({ reserveBytes: RESERVE_BYTES });
  await runScript(world);
  expect(world.audit()).toEqual([]);
  return world.disk.calls.length;
}

/** Runs the script with one fault at each call in turn, under several seeds; `then` acts on the process afterwards. */
async function sweep(code: DiskFault['code'], then: (world: JournalWorld) => Promise<void>): Promise<void> {
  const calls = await countCalls();
  for (let nth = 1; nth <= calls; nth += 1) {
    await forEachSeed(1, 6, async (random) => {
      const world = new JournalWorld({ random, reserveBytes: RESERVE_BYTES });
      world.disk.plan({ nth, code });
      await runScript(world);
      const failed = world.disk.calls[nth - 1];
      const context = `call ${String(nth)}, ${String(failed?.operation)} ${String(failed?.path)}`;
      try {
        await then(world);
      } catch (error) {
        throw new Error(`${context}: ${String(error)}`, { cause: error });
      }
      expect([context, ...world.audit()]).toEqual([context]);
      await world.append();
      await world.reopenAfterPowerLoss();
      expect([context, ...world.audit()]).toEqual([context]);
      expect(world.sink.records.length).toBeGreaterThan(0);
    });
  }
}

describe('Journal, one fault at each call in turn', () => {
  it.each(['EIO', 'ENOSPC', 'killed'] as const)('given %s, then loss of power, keeps its promises', async (code) => {
    await sweep(code, (world) => world.reopenAfterPowerLoss());
  });

  it.each(['EIO', 'ENOSPC', 'killed'] as const)(
    'given %s, then a restart that reads unsynchronised data, more writes and loss of power, keeps its promises',
    async (code) => {
      await sweep(code, async (world) => {
        await world.reopenAfterKill();
        await world.appendTogether(2);
        await world.reopenAfterPowerLoss();
      });
    },
  );
});

describe('Journal, when the disk fails', () => {
  let world: JournalWorld;

  beforeEach(async () => {
    world = new JournalWorld();
    await world.open();
    await world.append();
  });

  it.each(['write', 'synchronize'] as const)(
    'given a failed %s, stops the process, rejects as unknown and never acknowledges again',
    async (operation) => {
      world.disk.plan({ operation, nth: 1, in: '.log', code: 'EIO' });

      expect(await world.append()).toMatchObject({ code: 'outcome-unknown', retry: 'unknown' });
      await expect(world.journal.rotate()).rejects.toMatchObject({ code: 'outcome-unknown' });
      expect(await world.append()).toMatchObject({ code: 'outcome-unknown' });
      expect(world.process.stops).toEqual([
        { reason: expect.any(String), cause: expect.objectContaining({ code: 'EIO' }) },
      ]);
      expect(world.history.promisedCount).toBe(1);
      expect(world.sink.records).toHaveLength(1);
    },
  );

  it.each(['EIO', 'ENOSPC'] as const)(
    'given an fsync of a batch that fails with %s, treats the failure as final',
    async (code) => {
      world.disk.plan({ operation: 'synchronize', nth: 1, in: '.log', code });

      expect(await world.append()).toMatchObject({ code: 'outcome-unknown' });
      expect(world.process.isStopped).toBe(true);
    },
  );

  it.each([
    ['create', 'EIO'],
    ['write', 'EIO'],
    ['synchronize', 'EIO'],
    ['synchronize', 'ENOSPC'],
    ['synchronizeDirectory', 'EIO'],
    ['synchronizeDirectory', 'ENOSPC'],
  ] as const)('given a new segment whose %s fails with %s, stops the process', async (operation, code) => {
    const path = operation === 'synchronizeDirectory' ? JOURNAL_DIRECTORY : '.log';
    world.disk.plan({ operation, nth: 1, in: path, code });

    await expect(world.journal.rotate()).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(world.process.isStopped).toBe(true);
    expect(await world.append()).toMatchObject({ code: 'outcome-unknown' });
  });

  it('given a full disk and then a failed truncate, stops the process and rejects as unknown', async () => {
    world.disk.plan({ operation: 'write', nth: 1, in: '.log', code: 'ENOSPC' });
    world.disk.plan({ operation: 'truncate', nth: 1, code: 'EIO' });

    expect(await world.append()).toMatchObject({ code: 'outcome-unknown' });
    expect(world.process.isStopped).toBe(true);
  });

  it('given a failed synchronisation while it recovers, refuses to open', async () => {
    world.disk.losePower();
    world.disk.plan({ operation: 'synchronize', nth: 1, code: 'EIO' });

    await expect(world.open()).rejects.toMatchObject({ code: 'EIO' });
  });
});

describe('Journal, when the disk is full', () => {
  let world: JournalWorld;
  const usedBytes = (): number => [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const leaveRoom = (bytes: number): void => {
    world.disk.capacityBytes = usedBytes() + bytes;
  };
  const openWith = async (reserveBytes: number): Promise<void> => {
    world = new JournalWorld({ reserveBytes, random: new SeededRandom(3) });
    await world.open();
    await world.append();
  };

  it('given a full disk, refuses the append as safe to repeat, rolls back and leaves no trace', async () => {
    await openWith(0);
    const before = world.disk.image();
    leaveRoom(60);

    expect(await world.append()).toMatchObject({ code: 'storage-full', retry: 'safe', retryAfterSeconds: 5 });
    expect(world.sink.rollBacks).toBe(1);
    expect(segmentsIn(world.disk.image())).toEqual(segmentsIn(before));
    expect(world.process.isStopped).toBe(false);
  });

  it('given a full disk and then loss of power, leaves no trace of the refused append under any seed', async () => {
    await forEachSeed(1, 60, async (random) => {
      world = new JournalWorld({ random });
      await world.open();
      await world.append();
      leaveRoom(random.below(700));
      await world.appendTogether(6);
      leaveRoom(10_000);

      await world.reopenAfterPowerLoss();

      expect(world.audit()).toEqual([]);
    });
  });

  it('given room again, continues with the next number in an unbroken chain', async () => {
    await openWith(0);
    leaveRoom(10);
    await world.append();
    leaveRoom(10_000);

    expect(await world.append()).toBeUndefined();
    await world.reopenAfterPowerLoss();
    expect(world.journal.position.seq).toBe(2);
    expect(world.audit()).toEqual([]);
  });

  it('given a full disk, writes appends that may use the reserve and refuses the others', async () => {
    await openWith(RESERVE_BYTES);
    leaveRoom(20);

    const [plain, reserved, alsoPlain] = await Promise.all([
      world.append(),
      world.append({ reserved: true }),
      world.append(),
    ]);

    expect([plain, alsoPlain]).toMatchObject([{ code: 'storage-full' }, { code: 'storage-full' }]);
    expect(reserved).toBeUndefined();
    await world.reopenAfterPowerLoss();
    expect(world.sink.records).toHaveLength(2);
    expect(world.audit()).toEqual([]);
  });

  it('given a full disk, keeps the reserve from appends that may not use it, however many arrive', async () => {
    await openWith(RESERVE_BYTES);
    leaveRoom(20);

    for (let round = 0; round < 5; round += 1) {
      expect(await world.append()).toMatchObject({ code: 'storage-full' });
      expect(await world.append({ reserved: true })).toBeUndefined();
    }
    expect(world.audit()).toEqual([]);
  });

  it('given a used-up reserve, refuses every append and stays whole', async () => {
    await openWith(300);
    leaveRoom(20);

    const errors = [];
    for (let round = 0; round < 5; round += 1) errors.push(await world.append({ reserved: true }));

    expect(errors[0]).toBeUndefined();
    expect(errors[4]).toMatchObject({ code: 'storage-full' });
    expect(world.process.isStopped).toBe(false);
    leaveRoom(10_000);
    await world.reopenAfterPowerLoss();
    expect(world.audit()).toEqual([]);
  });

  it('given no room for the segment of a start, takes it from the reserve; without a reserve, refuses to open', async () => {
    await openWith(RESERVE_BYTES);
    leaveRoom(20);
    await world.reopenAfterPowerLoss();
    expect(world.audit()).toEqual([]);

    await openWith(0);
    leaveRoom(20);
    const before = segmentsIn(world.disk.image());
    await expect(world.reopenAfterPowerLoss()).rejects.toMatchObject({ code: 'storage-full', retry: 'safe' });
    expect(segmentsIn(world.disk.image())).toEqual(before);
  });

  it('given room again after the reserve was used, refills it before the next ordinary append', async () => {
    await openWith(RESERVE_BYTES);
    leaveRoom(20);
    await world.append({ reserved: true });
    leaveRoom(5000);
    expect(await world.append()).toBeUndefined();
    leaveRoom(20);

    expect(await world.append({ reserved: true })).toBeUndefined();
  });

  it('given no room for the reserve at the start, warns, leaves no part of it behind and still writes appends that may use it', async () => {
    await openWith(0);
    world.disk.losePower();
    leaveRoom(600);
    const before = usedBytes();
    const reserve = (): boolean => [...world.disk.image().keys()].some((path) => path.endsWith('.reserve'));
    world = new JournalWorld({ disk: world.disk, reserveBytes: RESERVE_BYTES });

    await world.open();

    expect(world.log.warnings).toEqual([expect.stringContaining('reserve')]);
    expect(reserve()).toBe(false);
    expect(usedBytes() - before).toBeLessThan(200);
    expect(await world.append()).toMatchObject({ code: 'storage-full' });
    expect(await world.append({ reserved: true })).toBeUndefined();
  });

  it('given no room for a new segment, refuses the rotation, continues in the old segment and finds it whole after loss of power', async () => {
    await forEachSeed(1, 40, async (random) => {
      world = new JournalWorld({ random });
      await world.open();
      await world.append();
      leaveRoom(random.below(100));
      await expect(world.journal.rotate()).rejects.toMatchObject({ code: 'storage-full' });
      leaveRoom(10_000);
      await world.append();

      await world.reopenAfterPowerLoss();

      expect(world.audit()).toEqual([]);
      expect(world.sink.records).toHaveLength(2);
    });
  });

  it('given no room for the closing line, closes and loses nothing', async () => {
    await openWith(0);
    leaveRoom(5);

    await world.journal.close();
    leaveRoom(10_000);
    await world.reopenAfterPowerLoss();

    expect(world.sink.records).toHaveLength(1);
    expect(world.audit()).toEqual([]);
  });
});
