import { beforeEach, describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import type { Disk } from '../../kernel/index.js';
import { EndWitness, readTestimony, type WitnessedEnd, witnessPath } from './end-witness.js';

const PARENT = '/data';
const DIRECTORY = `${PARENT}/documents`;
const FILE = witnessPath(DIRECTORY);
const SEEDS = 300;

const end = (seq: number): WitnessedEnd => ({ epoch: 1, seq, hash: 'ab'.repeat(32), segment: 'a.log', bytes: seq });

describe('EndWitness after errors and kills', () => {
  let disk: SimulatedDisk;
  let log: RecordingLog;
  let mover: Disk;

  const begin = async (seq: number): Promise<EndWitness> => {
    const attached = disk.attach();
    mover = attached;
    await attached.ensureDirectory(PARENT);
    const ports = { disk: attached, crashSites: { reach: () => undefined }, log, timers: new SimulatedTimers() };
    return EndWitness.begin({ ...ports, nextTurn: queueMicrotask }, DIRECTORY, end(seq));
  };
  const known = async (): Promise<number> => {
    const testimony = await readTestimony(disk.attach(), DIRECTORY);
    return typeof testimony === 'string' ? -1 : testimony.seq;
  };
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
  };

  beforeEach(() => {
    disk = new SimulatedDisk();
    log = new RecordingLog();
  });

  it('given kills and then a loss of power, is never ahead of the durable end and never behind its own durable notes', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = new SeededRandom(seed);
      disk = new SimulatedDisk(random);
      let noted = 0;
      let durable = 0;
      let witness = await begin(noted);
      for (let step = random.below(40); step > 0; step -= 1) {
        if (random.chance(0.15)) {
          await settled();
          disk.kill();
          witness = await begin(noted);
        } else if (random.chance(0.8)) {
          witness.note(end((noted += 1)));
          if (random.chance(0.7)) await settled();
        } else {
          await witness.flush();
          durable = noted;
        }
      }
      await settled();
      disk.losePower();

      const found = await known();
      expect([seed, found]).toEqual([seed, Math.min(Math.max(found, durable), noted)]);
    }
  });

  it.each(['open', 'write', 'synchronize'] as const)(
    'given one failed %s, warns once, and knows the end again after the next note',
    async (operation) => {
      await (await begin(1)).close(true);
      const witness = await begin(1);
      disk.plan({ nth: 1, operation, code: 'EIO' });
      witness.note(end(2));
      await witness.flush();
      witness.note(end(3));
      await witness.flush();
      disk.losePower();

      expect([await known(), witness.isKept]).toEqual([3, true]);
      expect(log.entries.map(({ level }) => level)).toEqual(['warn', 'info']);
    },
  );

  it('given a disk without room for the file, makes the file once there is room', async () => {
    disk.capacityBytes = 10;
    const witness = await begin(1);
    expect(witness.isKept).toBe(false);
    disk.capacityBytes = Infinity;
    witness.note(end(2));
    await witness.flush();
    witness.note(end(3));
    await witness.flush();

    expect(witness.isKept).toBe(true);
    disk.losePower();
    expect(await known()).toBe(3);
  });

  it('given a file that is moved away, makes no other file, and continues with it when it is put back', async () => {
    const witness = await begin(1);
    witness.note(end(1));
    await witness.flush();
    await mover.rename(FILE, `${FILE}.away`);
    // A watched disk reports a missing file like this.
    disk.plan({ nth: 1, operation: 'synchronize', code: 'EIO' });
    for (let tries = 0; tries < 2; tries += 1) {
      witness.note(end(2));
      await witness.flush();
    }
    expect([witness.isKept, disk.image().has(FILE)]).toEqual([false, false]);
    await mover.rename(`${FILE}.away`, FILE);
    witness.note(end(3));
    await witness.flush();

    expect([witness.isKept, await known()]).toEqual([true, 3]);
  });
});
