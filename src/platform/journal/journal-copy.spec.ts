import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EncodedRecord, GENESIS } from '../../kernel/index.js';
import { recordLines } from '../../../test/support/follower-world.js';
import { JOURNAL_DIRECTORY, JournalWorld, RecordingSink } from '../../../test/support/journal-world.js';
import type { NumberedOp } from '../../../test/support/journal-history.js';
import { PROMPT_TIMERS } from '../../../test/support/prompt-timers.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { NodeDisk } from '../disk/index.js';
import { Journal } from './index.js';

const ENOUGH = 10_000_000;

async function all(journal: Journal<NumberedOp, number>): Promise<readonly EncodedRecord[]> {
  const records = await journal.readFrom(journal.firstSeq, ENOUGH);
  return records === 'gone' ? [] : records;
}

describe('reading a journal by record number', () => {
  let world: JournalWorld;

  beforeEach(async () => {
    world = new JournalWorld();
    await world.open();
  });

  it('returns the appended records with their text in the file', async () => {
    await world.appendTogether(3);
    await world.append();

    const records = await all(world.journal);

    expect(records.map(({ epoch, seq, hash }) => ({ epoch, seq, hash }))).toEqual(
      world.sink.records.map(({ epoch, seq, hash }) => ({ epoch, seq, hash })),
    );
    expect(records.map(({ json }) => json)).toEqual(
      recordLines(world.disk.image(), JOURNAL_DIRECTORY).map((line) => line.slice(9)),
    );
  });

  it('returns only durable records', async () => {
    await world.append();
    let found: unknown;
    world.disk.beforeCall = async ({ operation }) => {
      if (operation !== 'synchronize') return;
      world.disk.beforeCall = undefined;
      found = [(await all(world.journal)).length, await world.journal.readFrom(2, ENOUGH)];
    };
    await world.append();

    expect(found).toEqual([1, []]);
    expect(await world.journal.readFrom(2, ENOUGH)).toHaveLength(1);
  });

  it('returns as many records as fit, and at least one', async () => {
    await world.append({ text: 'x'.repeat(1_000) });
    await world.append({ text: 'y'.repeat(1_000_000) });
    await world.append({ text: 'z' });

    const lengths = async (seq: number, limit: number): Promise<number> =>
      (await world.journal.readFrom(seq, limit)).length;
    expect(await lengths(1, 1)).toBe(1);
    expect(await lengths(1, 10_000)).toBe(1);
    expect(await lengths(2, 1)).toBe(1);
    expect(await lengths(1, 1_100_000)).toBe(3);
  });

  it('continues over segments, before and after a restart', async () => {
    for (let segment = 0; segment < 3; segment += 1) {
      await world.appendTogether(2);
      await world.journal.rotate();
    }
    const before = await all(world.journal);
    await world.reopenAfterPowerLoss();

    expect(before).toHaveLength(6);
    expect(await all(world.journal)).toEqual(before);
    expect(await world.journal.readFrom(4, ENOUGH)).toEqual(before.slice(3));
  });

  it('reports removed records as gone, but knows the position of the last one', async () => {
    await world.appendTogether(3);
    const before = await all(world.journal);
    await world.journal.rotate();
    await world.append();
    world.takeSnapshot();
    await world.removeCovered();

    expect(world.journal.firstSeq).toBe(4);
    expect(await world.journal.readFrom(3, ENOUGH)).toBe('gone');
    expect(await world.journal.positionAt(2)).toBe('gone');
    expect(await world.journal.positionAt(3)).toMatchObject({ seq: 3, hash: before[2]?.hash });
    expect(await world.journal.positionAt(4)).toEqual(world.journal.position);
    expect(await world.journal.positionAt(5)).toBeUndefined();
    expect(await world.journal.positionAt(0)).toEqual(GENESIS);
  });

  it('keeps retained records until they are released', async () => {
    const letGo: (() => void)[] = [];
    for (let segment = 0; segment < 3; segment += 1) {
      letGo.push(world.journal.retainFrom(world.journal.position.seq + 1));
      await world.appendTogether(2);
      await world.journal.rotate();
    }
    world.takeSnapshot();
    const firsts: number[] = [];
    for (const let1Go of letGo) {
      await world.removeCovered();
      firsts.push(world.journal.firstSeq);
      let1Go();
    }
    await world.removeCovered();

    expect([...firsts, world.journal.firstSeq]).toEqual([1, 3, 5, 7]);
  });

  it('refuses to return bytes that have been damaged since, and names file and offset', async () => {
    await world.appendTogether(3);
    const [[path, bytes] = ['', Buffer.alloc(0)]] = world.disk.image();
    bytes[bytes.indexOf('"seq":2')] = 0x41;
    world.disk.plant(path, bytes);

    await expect(world.journal.readFrom(1, ENOUGH)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(new RegExp(`${path}: bad record at byte \\d+`)),
    });
  });

  it('given any concurrent appends, rotations and removals, returns an unbroken part of the history or reports it as gone', async () => {
    const step = fc.constantFrom('append', 'append', 'append', 'rotate', 'remove', 'read', 'read');
    let reads = 0;
    const property = fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 60, size: 'max' }), async (seed, steps) => {
      world = new JournalWorld({ random: new SeededRandom(seed) });
      await world.open();
      world.disk.beforeCall = () => new Promise(setImmediate);
      const found: { from: number; records: Awaited<ReturnType<typeof world.journal.readFrom>> }[] = [];
      const pending: Promise<unknown>[] = [];
      for (const what of steps) {
        const { random, journal } = world;
        if (what === 'append') pending.push(world.append({ text: 'x'.repeat(random.below(50_000)) }));
        if (what === 'rotate') pending.push(journal.rotate());
        if (what === 'remove') pending.push(journal.removeThrough(random.below(journal.position.seq + 1)));
        if (what === 'read') {
          const from = 1 + random.below(journal.position.seq + 1);
          const reading = journal.readFrom(from, 1 + random.below(200_000));
          pending.push(reading.then((records) => found.push({ from, records })));
        }
        if (random.chance(0.5)) await new Promise(setImmediate);
      }
      await Promise.all(pending);
      reads += found.length;
      for (const { from, records } of found) {
        if (records === 'gone') expect(from).toBeLessThan(world.journal.firstSeq);
        else
          expect(records.map(({ hash }) => hash)).toEqual(
            world.sink.records.slice(from - 1, from - 1 + records.length).map(({ hash }) => hash),
          );
      }
    });

    await fc.assert(property, { numRuns: 100 });
    expect(reads).toBeGreaterThan(300);
  }, 60_000);
});

describe('a journal that follows another', () => {
  it('given any division of the records into batches, with restarts between them, has the same lines and the same records', async () => {
    const first = new JournalWorld();
    await first.open();
    await first.appendTogether(20);
    first.journal.beginEpoch(4);
    await first.appendTogether(10);
    const records = await all(first.journal);
    const lines = recordLines(first.disk.image(), JOURNAL_DIRECTORY);

    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.boolean()), { maxLength: 12 });
    const property = fc.asyncProperty(cuts, async (batches) => {
      const second = new JournalWorld();
      await second.open();
      const pending: Promise<void>[] = [];
      let next = 0;
      for (const [count, isRestarted] of [...batches, [records.length, true] as const]) {
        pending.push(second.journal.follow(records.slice(next, next + count)));
        next += count;
        if (!isRestarted) continue;
        await Promise.all(pending.splice(0));
        await second.reopenAfterPowerLoss();
      }

      expect(recordLines(second.disk.image(), JOURNAL_DIRECTORY)).toEqual(lines);
      expect(second.sink.records).toEqual(first.sink.records);
      expect(second.journal.position).toEqual(first.journal.position);
    });

    await fc.assert(property, { numRuns: 50 });
  });

  it('refuses records that do not follow the queue, and stores the rest of the batch', async () => {
    const first = new JournalWorld();
    await first.open();
    await first.appendTogether(4);
    const records = await all(first.journal);
    const second = new JournalWorld();
    await second.open();
    const { journal } = second;

    const outcomes = await Promise.allSettled([
      journal.follow(records.slice(0, 2)),
      journal.follow(records.slice(3)),
      journal.follow(records.slice(2)),
      journal.follow([]),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'conflict', retry: 'never' } });
    expect(await all(journal)).toEqual(records);
    expect(second.process.isStopped).toBe(false);
  });

  it('given a full disk, refuses as storage-full and continues once there is room', async () => {
    const first = new JournalWorld();
    await first.open();
    await first.appendTogether(4);
    const records = await all(first.journal);
    const second = new JournalWorld();
    await second.open();
    second.disk.plan({ nth: 1, operation: 'write', code: 'ENOSPC' });

    await expect(second.journal.follow(records)).rejects.toMatchObject({ code: 'storage-full', retry: 'safe' });

    await second.journal.follow(records);
    await second.reopenAfterPowerLoss();
    expect(await all(second.journal)).toEqual(records);
  });

  it('reports durable records after they were applied and before it answers their callers', async () => {
    const order: string[] = [];
    class NotifyingSink extends RecordingSink {
      durable(records: readonly EncodedRecord[]): void {
        order.push(`notified of ${String(records.map(({ seq }) => seq))} of ${String(this.records.length)}`);
      }
    }
    const world = new JournalWorld({ makeSink: (records) => new NotifyingSink(records) });
    await world.open();

    await Promise.all([1, 2].map((n) => world.append().then(() => order.push(`answered ${String(n)}`))));
    await world.reopenAfterPowerLoss();

    expect(order).toEqual(['notified of 1,2 of 2', 'answered 1', 'answered 2']);
  });
});

describe('reading a large journal on a real disk', () => {
  it('in pieces, reads hardly more bytes than the file has', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-journal-'));
    const disk = new NodeDisk();
    let bytesRead = 0;
    const ports = {
      disk: Object.assign(Object.create(disk) as NodeDisk, {
        openForReading: async (path: string) => {
          const reader = await disk.openForReading(path);
          const read = async (offset: number, length: number): Promise<Buffer> => {
            const bytes = await reader?.read(offset, length);
            bytesRead += bytes?.length ?? 0;
            return bytes ?? Buffer.alloc(0);
          };
          return reader && Object.assign(Object.create(reader) as typeof reader, { read });
        },
      }),
      crashSites: NO_CRASH_SITES,
      log: new RecordingLog(),
      clock: new SimulatedClock(),
      nextTurn: setImmediate,
      timers: PROMPT_TIMERS,
      process: new RecordingProcessControl(),
    };
    const options = { directory, reserveBytes: 0 };
    let journal = await Journal.open<NumberedOp, number>(ports, options, new RecordingSink([]), GENESIS);
    await Promise.all(Array.from({ length: 40_000 }, (_, n) => journal.append({ n, text: 'x'.repeat(150) })));
    const size = journal.bytesSinceRotation;
    await journal.close();
    journal = await Journal.open<NumberedOp, number>(ports, options, new RecordingSink([]), GENESIS);

    bytesRead = 0;
    let next = 1;
    let pieces = 0;
    for (;;) {
      const records = await journal.readFrom(next, 1024 * 1024);
      if (records === 'gone' || records.length === 0) break;
      expect(records[0]?.seq).toBe(next);
      next += records.length;
      pieces += 1;
    }

    expect(next).toBe(40_001);
    expect(pieces).toBe(Math.ceil((size - 1_000) / (1024 * 1024)));
    expect(bytesRead).toBeLessThan(size * 1.2);
    await journal.close();
    rmSync(directory, { recursive: true });
  });
});
