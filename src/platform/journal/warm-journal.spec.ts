import { beforeEach, describe, expect, it } from '@jest/globals';
import { CountedReaders } from '../../../test/support/counted-readers.js';
import type { NumberedOp } from '../../../test/support/journal-history.js';
import { JOURNAL_DIRECTORY, JournalWorld, positionOf } from '../../../test/support/journal-world.js';
import { TurnMeter } from '../../../test/support/turn-meter.js';
import { GENESIS } from '../../kernel/index.js';
import { WarmJournal } from './index.js';
import { Astray } from './segment-ahead.js';

describe('a journal that another process reads while it is written', () => {
  let world: JournalWorld;
  let read: number[];
  let begun: number[];

  const reader = (from = GENESIS): WarmJournal<NumberedOp> =>
    new WarmJournal<NumberedOp>({ disk: world.disk.attachReader(), nextTurn: setImmediate }, JOURNAL_DIRECTORY, from, {
      apply: ({ seq }) => read.push(seq),
      segmentBegan: ({ seq }) => begun.push(seq),
    });

  beforeEach(async () => {
    world = new JournalWorld();
    read = [];
    begun = [];
    await world.open();
  });

  it('gives only the records that a later batch vouches for, each once', async () => {
    const warm = reader();
    await world.appendTogether(3);
    await warm.look();
    expect(read).toEqual([]);
    await world.append();
    await warm.look();
    await warm.look();
    expect(read).toEqual([1, 2, 3]);
    expect(warm.position).toEqual(positionOf(world.sink.records[2]));
    await world.append();
    await warm.look();

    expect(read).toEqual([1, 2, 3, 4]);
  });

  it('given a batch that a full disk cuts off and that is written differently, gives the one that is in the history', async () => {
    const warm = reader();
    await world.append();
    world.disk.plan({ nth: 1, operation: 'write', in: '.log', code: 'ENOSPC' });
    const refused = world.append({ text: 'x'.repeat(1_000) });
    for (let looks = 0; looks < 20; looks += 1) await warm.look();
    expect(await refused).toMatchObject({ code: 'storage-full' });
    await world.append();
    await world.append();
    await warm.look();

    expect(warm.position).toEqual(positionOf(world.sink.records[1]));
  });

  it('goes on into the next segment, also of another process, and says after which record that begins', async () => {
    const warm = reader();
    await world.append();
    await world.append();
    await world.journal.rotate();
    await warm.look();
    expect([read, begun]).toEqual([
      [1, 2],
      [0, 2],
    ]);
    await world.append();
    await world.reopenAfterKill();
    await warm.look();

    expect([read, begun]).toEqual([
      [1, 2, 3],
      [0, 2, 3],
    ]);
  });

  it('given a segment that is removed while it is open, reads it to its end all the same', async () => {
    const warm = reader();
    await world.append();
    await warm.look();
    await world.append();
    world.takeSnapshot();
    await world.journal.rotate();
    await world.removeCovered();
    await world.append();
    await world.append();
    await warm.look();

    expect(read).toEqual([1, 2, 3]);
  });

  it('given records that were removed before they were read, says so', async () => {
    await world.append();
    world.takeSnapshot();
    await world.journal.rotate();
    await world.removeCovered();

    await expect(reader().look()).rejects.toThrow(Astray);
    await expect(reader({ ...world.covered, hash: 'f'.repeat(32) }).look()).rejects.toThrow('another history');
  });

  it('given a segment of another history, or one that cannot be read, does not leave it open', async () => {
    const readers = new CountedReaders();
    const disk = readers.on(world.disk.attachReader());
    const sink = { apply: () => undefined, segmentBegan: () => undefined };
    const foreign = { ...GENESIS, hash: 'f'.repeat(32) };
    const look = (): Promise<void> =>
      new WarmJournal<NumberedOp>({ disk, nextTurn: setImmediate }, JOURNAL_DIRECTORY, foreign, sink).look();
    await expect(look()).rejects.toThrow('another history');
    expect(readers.open).toBe(0);
    readers.failure = () => new Error('EIO');
    await expect(look()).rejects.toThrow('EIO');

    expect(readers.open).toBe(0);
  });

  it('given a long segment and a batch larger than a piece, reads both in turns of less than 100 ms', async () => {
    for (let batch = 0; batch < 20; batch += 1) await world.appendTogether(500);
    await Promise.all(Array.from({ length: 30 }, () => world.append({ text: 'x'.repeat(10_000) })));
    await world.append();
    const longestMs: number[] = [];
    // A garbage collection of all that the test process holds may fall into one reading.
    for (let times = 1; times <= 3; times += 1) {
      const warm = reader();
      longestMs.push(await TurnMeter.longestTurnOf(() => warm.look()));
      expect(read).toHaveLength(times * (20 * 500 + 30));
    }

    expect(Math.min(...longestMs)).toBeLessThan(100);
  });
});
