import { describe, expect, it } from '@jest/globals';
import type { NumberedOp, NumberedRecord } from '../../../test/support/journal-history.js';
import { JOURNAL_DIRECTORY, RecordingSink } from '../../../test/support/journal-world.js';
import { PROMPT_TIMERS } from '../../../test/support/prompt-timers.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { forEachSeed, type SeededRandom } from '../../../test/support/seeded-random.js';
import { settle, SharedDirectory } from '../../../test/support/shared-directory.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { GENESIS, isAppError } from '../../kernel/index.js';
import { Astray } from './segment-ahead.js';
import { Journal, NotAsReadAhead, type ReadAhead, WarmJournal } from './index.js';

interface Reader {
  readonly records: NumberedRecord[];
  readonly warm: WarmJournal<NumberedOp>;
}

function readerOf({ disk }: SharedDirectory): Reader {
  const records: NumberedRecord[] = [];
  const sink = { apply: (record: NumberedRecord) => void records.push(record), segmentBegan: () => undefined };
  const ports = { disk: disk.attachReader(), nextTurn: setImmediate };
  return { records, warm: new WarmJournal<NumberedOp>(ports, JOURNAL_DIRECTORY, GENESIS, sink) };
}

/** The records and the files of an opening, or its refusal. */
async function opening(image: ReadonlyMap<string, Buffer>, known: readonly NumberedRecord[] = [], ahead?: ReadAhead) {
  const disk = new SimulatedDisk(undefined, image);
  const sink = new RecordingSink([...known]);
  const ports = {
    ...{ disk: disk.attach(), crashSites: { reach: () => undefined }, log: new RecordingLog() },
    ...{ clock: new SimulatedClock(), nextTurn: setImmediate, timers: PROMPT_TIMERS },
    process: new RecordingProcessControl(),
  };
  const options = { directory: JOURNAL_DIRECTORY, reserveBytes: 0 };
  const files = (): unknown => [...disk.image()].map(([path, bytes]) => [path, bytes.toString('latin1')]).sort();
  try {
    const { position } = await Journal.open<NumberedOp, number>(ports, options, sink, GENESIS, undefined, ahead);
    return { position, records: sink.records, files: files() };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { refusal: error.message, files: files() };
  }
}

describe('a journal that was read while several processes wrote it, some of them after their time', () => {
  it('opens with the same records and files as one that was not, or says that it was read wrongly', async () => {
    let [same, unfit] = [0, 0];
    await forEachSeed(1, 200, async (random) => {
      const shared = new SharedDirectory(random);
      const reader = readerOf(shared);
      const look = async (): Promise<void> => {
        if (random.chance(0.6)) await reader.warm.look();
      };
      const hasRead = await play(random, shared, look).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Astray) return false;
          throw error;
        },
      );
      if (!hasRead) return;
      const image = shared.disk.image();
      const cold = await opening(image);
      try {
        expect(await opening(image, reader.records, reader.warm)).toEqual(cold);
        same += 1;
      } catch (error) {
        if (!(error instanceof NotAsReadAhead)) throw error;
        unfit += 1;
      }
    });

    expect(same).toBeGreaterThan(150);
    expect(unfit).toBeLessThan(10);
  });
});

async function play(random: SeededRandom, shared: SharedDirectory, look: () => Promise<void>): Promise<void> {
  let current = await shared.open();
  for (let takeover = 0; takeover < 3; takeover += 1) {
    for (let count = random.below(4); count > 0; count -= 1) {
      await shared.append(current);
      await look();
    }
    const former = current;
    if (random.below(3) === 0) void former.journal.rotate().catch(() => undefined);
    former.disk.stopAfter(random.below(9));
    const pending = [shared.append(former), shared.append(former)];
    await settle();
    await look();
    current = await shared.open();
    await look();
    if (random.below(2) === 0) await shared.append(current);
    former.disk.continue();
    await Promise.all(pending);
    await look();
    await shared.append(former);
    await settle();
    await shared.append(current);
    await look();
    if (random.below(3) === 0) await current.journal.rotate();
  }
  shared.disk.kill();
  await look();
}
