import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { NumberedRecord } from '../../../test/support/journal-history.js';
import { JOURNAL_DIRECTORY, JournalWorld } from '../../../test/support/journal-world.js';
import { forEachSeed } from '../../../test/support/seeded-random.js';
import { encodeHeader, segmentFileName } from './segment.js';

/** Prepares a disk whose whole content is durable. */
type Situation = (world: JournalWorld) => Promise<void>;

const lastPath = (world: JournalWorld): string => {
  const segments = [...world.disk.image().keys()].filter((path) => path.endsWith('.log'));
  return segments.sort().at(-1) ?? '';
};

const cutLastSegment = (world: JournalWorld, bytes: number): void => {
  const path = lastPath(world);
  const content = world.disk.image().get(path) ?? Buffer.alloc(0);
  world.disk.plant(path, content.subarray(0, content.length - bytes));
};

/** The segment of a rotation that ended after this part of the header. */
const beginSegmentInPart = (world: JournalWorld, bytes: number): void => {
  const position = world.journal.position;
  const name = segmentFileName(position.seq + 1, world.journal.incarnation);
  world.disk.plant(join(JOURNAL_DIRECTORY, name), Buffer.from(encodeHeader(position, 0)).subarray(0, bytes));
};

const SITUATIONS: Record<string, Situation> = {
  'no directory yet': () => Promise.resolve(),
  'a torn last batch': async (world) => {
    await world.appendTogether(2);
    await world.journal.rotate();
    world.disk.plan({ operation: 'write', nth: 1, code: 'killed' });
    await world.appendTogether(3);
  },
  'a first segment whose creation was cut short': (world) => {
    beginSegmentInPart(world, 20);
    return Promise.resolve();
  },
  'a segment whose creation was cut short': async (world) => {
    await world.appendTogether(3);
    beginSegmentInPart(world, 20);
  },
  'a segment whose creation was cut short before its first byte': async (world) => {
    await world.appendTogether(3);
    beginSegmentInPart(world, 0);
  },
  'a segment whose creation was cut short behind a snapshot of everything': async (world) => {
    await world.append();
    await world.journal.rotate();
    await world.appendTogether(2);
    world.takeSnapshot();
    beginSegmentInPart(world, 20);
  },
  'an only segment, begun behind a snapshot, without its header': async (world) => {
    await world.append();
    await world.journal.rotate();
    world.takeSnapshot();
    await world.removeCovered();
    cutLastSegment(world, 10);
  },
  'covered segments that were not removed': async (world) => {
    await world.append();
    await world.journal.rotate();
    await world.append();
    await world.journal.rotate();
    await world.append();
    world.takeSnapshot();
    await world.append();
  },
  'a snapshot ahead of the journal': async (world) => {
    await world.append();
    await world.journal.rotate();
    await world.appendTogether(4);
    world.takeSnapshot();
    cutLastSegment(world, 300);
  },
};

async function reach(situation: Situation, keptFrom?: number): Promise<JournalWorld> {
  const world = new JournalWorld({ reserveBytes: 100, ...(keptFrom !== undefined && { keptFrom }) });
  if (situation !== SITUATIONS['no directory yet']) {
    await world.open();
    await situation(world);
  }
  world.disk.kill();
  world.disk.image().forEach((bytes, path) => {
    world.disk.plant(path, bytes);
  });
  return world;
}

const summary = (records: readonly NumberedRecord[]): string =>
  records.map(({ seq, hash }) => `${String(seq)} ${hash}`).join('\n');

describe('Journal, when recovery is interrupted', () => {
  const situations = Object.entries(SITUATIONS).flatMap(([what, situation]) => [
    [what, situation, undefined] as const,
    [`${what}, and covered records that are to be kept`, situation, 1] as const,
  ]);

  it.each(situations)(
    'given %s, recovers the same state after a crash at each call',
    async (_, situation, keptFrom) => {
      const expected = await reach(situation, keptFrom);
      expected.disk.calls.length = 0;
      await expected.open();
      const calls = expected.disk.calls.length;
      for (let nth = 1; nth <= calls + 1; nth += 1) {
        for (const isPowerLost of [true, false]) {
          await forEachSeed(1, keptFrom === undefined ? 5 : 1, async (random) => {
            const world = await reach(situation, keptFrom);
            world.disk.plan({ nth, code: 'killed' });
            await world.open().catch(() => undefined);
            world.disk.kill();
            world.disk.plan({ nth: 1 + random.below(calls), code: 'killed' });
            await world.open().catch(() => undefined);

            if (isPowerLost) await world.reopenAfterPowerLoss();
            else await world.reopenAfterKill();

            expect([nth, summary(world.sink.records)]).toEqual([nth, summary(expected.sink.records)]);
            expect(world.journal.position).toEqual(expected.journal.position);
            const { firstSeq, position } = world.journal;
            expect([nth, firstSeq]).toEqual([nth, expected.journal.firstSeq]);
            expect(await world.journal.readFrom(firstSeq, 1e6)).toHaveLength(position.seq - firstSeq + 1);
            expect(await world.append()).toBeUndefined();
            await world.reopenAfterPowerLoss();
            expect([nth, ...world.audit()]).toEqual([nth]);
          });
        }
      }
    },
  );
});

describe('Journal that must keep covered records at its start', () => {
  it('keeps them readable and removes the older records', async () => {
    const covered = SITUATIONS['covered segments that were not removed'] ?? (() => Promise.resolve());
    const firsts = [1, 2, 3, 4, undefined].map(async (keptFrom) => {
      const world = await reach(covered, keptFrom);
      await world.open();
      return world.journal.firstSeq;
    });

    expect(await Promise.all(firsts)).toEqual([1, 2, 3, 3, 3]);
  });
});

describe('Journal, when a killed process left unsynchronised data', () => {
  it('given a segment with an unsynchronised name, keeps the records that the next process acknowledges in it', async () => {
    await forEachSeed(1, 20, async (random) => {
      const world = new JournalWorld({ random });
      world.disk.plan({ operation: 'synchronizeDirectory', nth: 1, code: 'killed' });
      await world.open().catch(() => undefined);

      await world.reopenAfterKill();
      await world.append();
      await world.reopenAfterPowerLoss();

      expect(world.audit()).toEqual([]);
    });
  });

  it('given unsynchronised records, shows them only once they are durable', async () => {
    await forEachSeed(1, 30, async (random) => {
      const world = new JournalWorld({ random });
      await world.open();
      await world.append();
      world.disk.plan({ operation: 'synchronize', nth: 1, code: 'killed' });
      await world.appendTogether(3);

      await world.reopenAfterKill();
      expect(world.sink.records).toHaveLength(4);
      await world.reopenAfterPowerLoss();

      expect(world.audit()).toEqual([]);
    });
  });

  it('given a snapshot with an unsynchronised name, makes the name durable before it removes the covered records', async () => {
    await forEachSeed(1, 30, async (random) => {
      const world = new JournalWorld({ random });
      await world.open();
      await world.append();
      await world.journal.rotate();
      await world.append();
      world.takeSnapshot();
      const process = world.disk.attach();
      const temporary = join(JOURNAL_DIRECTORY, 'snapshot.tmp');
      await process.open(temporary);
      await process.synchronizeDirectory(JOURNAL_DIRECTORY);
      await process.rename(temporary, join(JOURNAL_DIRECTORY, 'snapshot'));
      world.disk.kill();
      world.disk.plan({ operation: 'remove', nth: 2, code: 'killed' });
      await world.open().catch(() => undefined);
      world.disk.losePower();

      const names = [...world.disk.image().keys()];
      const isSnapshotThere = names.some((name) => name.endsWith('/snapshot'));
      const isFirstSegmentThere = names.some((name) => name.endsWith('journal-0000000000000001-000001.log'));
      expect(isSnapshotThere || isFirstSegmentThere).toBe(true);
    });
  });

  it('given a torn end, logs it once and opens without a warning the next time', async () => {
    const world = await reach(SITUATIONS['a torn last batch'] ?? (() => Promise.resolve()));
    await world.open();
    expect(world.log.warnings).toHaveLength(1);

    await world.reopenAfterPowerLoss();

    expect(world.log.warnings).toHaveLength(1);
  });
});
