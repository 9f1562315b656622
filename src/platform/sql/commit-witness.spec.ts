import { beforeEach, describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { CommitWitness, type CommitPosition } from './commit-witness.js';

const DIRECTORY = '/data';
const FILE = `${DIRECTORY}/bookstore.db.commits`;
const WRITTEN_WITHIN_MS = 5;
const AT_MOST_MS = 100;
const SEEDS = 300;

const position = (count: number): CommitPosition => ({
  databaseId: 'ab'.repeat(16),
  incarnation: 281_474_976_710_655,
  count,
});

describe('CommitWitness', () => {
  let disk: SimulatedDisk;
  let timers: SimulatedTimers;
  let failures: unknown[];

  const open = async (): Promise<CommitWitness> => {
    const attached = disk.attach();
    await attached.ensureDirectory(DIRECTORY);
    return CommitWitness.open({ disk: attached, timers }, FILE, (error) => failures.push(error));
  };
  const read = (): Promise<CommitPosition | undefined> => CommitWitness.read(disk.attach(), FILE);
  const settled = async (): Promise<void> => {
    timers.pass(WRITTEN_WITHIN_MS);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };

  beforeEach(() => {
    disk = new SimulatedDisk();
    timers = new SimulatedTimers();
    failures = [];
  });

  it('given no file or no whole slot, knows nothing', async () => {
    expect(await read()).toBeUndefined();
    disk.plant(FILE, Buffer.alloc(3 * 4_096, 'x'));
    expect(await read()).toBeUndefined();
    await open();
    expect(await read()).toBeUndefined();
  });

  it('given kill -9, knows the last noted commit', async () => {
    const witness = await open();
    for (let count = 1; count <= 25; count += 1) {
      witness.note(position(count));
      await settled();
    }
    disk.kill();

    expect(await read()).toEqual(position(25));
    const next = await open();
    next.note(position(26));
    await next.close();
    expect(await read()).toEqual(position(26));
  });

  it('given many commits within a tenth of a second, costs one fsync for all, and none without commits', async () => {
    const witness = await open();
    disk.calls.length = 0;
    for (let count = 1; count <= 25; count += 1) witness.note(position(count));
    await settled();
    timers.pass(AT_MOST_MS);
    await settled();
    timers.pass(10 * AT_MOST_MS);

    expect(disk.calls.filter(({ operation }) => operation === 'synchronize')).toHaveLength(1);
    expect(timers.pending).toBe(0);
  });

  it('given kills and a loss of power in any order of writes, is never ahead of the database and never behind its durable notes', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      disk = new SimulatedDisk(random);
      timers = new SimulatedTimers();
      let witness = await open();
      let noted = 0;
      let durable = 0;
      for (let step = random.below(40); step > 0; step -= 1) {
        if (random.chance(0.1)) {
          await settled();
          disk.kill();
          witness = await open();
        } else if (random.chance(0.7)) {
          noted += 1;
          witness.note(position(noted));
        } else {
          const before = noted;
          const synchronized = witness.synchronize();
          for (let more = random.below(4); more > 0; more -= 1) {
            noted += 1;
            witness.note(position(noted));
          }
          if (random.chance(0.8)) {
            await synchronized;
            durable = before;
          }
        }
      }
      await settled();
      disk.losePower();

      const known = (await read())?.count ?? 0;
      expect([seed, known]).toEqual([seed, Math.min(Math.max(known, durable), noted)]);
      witness = await open();
      witness.note(position(noted + 1));
      await witness.close();
      expect(await read()).toEqual(position(noted + 1));
    }
  });

  it('given an unwritable file, reports it and fails no commit', async () => {
    const witness = await open();
    disk.plan({ nth: 1, operation: 'write', code: 'EIO' });
    disk.plan({ nth: 1, operation: 'synchronize', code: 'EIO' });
    witness.note(position(1));
    await witness.close();

    expect(failures).toMatchObject([{ code: 'EIO' }, { code: 'EIO' }]);
  });
});
