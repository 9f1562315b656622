import { beforeEach, describe, expect, it } from '@jest/globals';
import { GENESIS } from '../../kernel/index.js';
import type { NumberedOp } from '../../../test/support/journal-history.js';
import { JOURNAL_DIRECTORY, RecordingSink } from '../../../test/support/journal-world.js';
import { PROMPT_TIMERS } from '../../../test/support/prompt-timers.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { type Incarnation, settle, SharedDirectory } from '../../../test/support/shared-directory.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { Journal } from './index.js';
import { encodeHeader } from './segment.js';

const names = ({ disk }: SharedDirectory): string[] =>
  [...disk.image().keys()].flatMap((path) => (path.endsWith('.log') ? [path.slice(JOURNAL_DIRECTORY.length + 1)] : []));

describe('Journal that a second process opens although the first one still runs', () => {
  let shared: SharedDirectory;
  let old: Incarnation;

  beforeEach(async () => {
    shared = new SharedDirectory(new SeededRandom(1));
    old = await shared.open();
    await shared.append(old);
    await shared.append(old);
  });

  it('begins a segment of its own, named by record and incarnation', async () => {
    await shared.open();

    expect(names(shared)).toEqual(['journal-0000000000000001-000001.log', 'journal-0000000000000003-000002.log']);
  });

  it('given an append to the first after that, refuses it, stops the first, and changes no file', async () => {
    const next = await shared.open();
    await shared.append(next);
    await settle();
    const before = shared.texts();

    expect(await shared.append(old)).toMatchObject({ code: 'outcome-unknown', cause: { code: 'superseded' } });
    expect(old.process.stops).toHaveLength(1);
    expect(shared.texts()).toEqual(before);
    expect((await shared.recovered()).map(({ seq, op }) => [seq, op.n])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('given an append that was stopped in any call and continues after that, never acknowledges a record that is lost', async () => {
    for (let calls = 0; calls < 8; calls += 1) {
      const world = new SharedDirectory(new SeededRandom(1));
      const first = await world.open();
      await world.append(first);
      first.disk.stopAfter(calls);
      const pending = world.append(first);
      await settle();
      const second = await world.open();
      await world.append(second);
      const own = world.filesOf(2);
      first.disk.continue();
      await pending;
      await settle();
      await world.append(second);

      expect([calls, second.process.isStopped]).toEqual([calls, false]);
      for (const [path, bytes] of own) expect(world.disk.image().get(path)?.subarray(0, bytes.length)).toEqual(bytes);
      expect([calls, ...world.history.audit(await world.recovered())]).toEqual([calls]);
    }
  });

  it('given a rotation or a removal by the first after that, refuses both', async () => {
    await old.journal.rotate();
    await shared.open();
    await settle();
    const before = shared.texts();

    await expect(old.journal.removeThrough(2)).rejects.toMatchObject({ code: 'superseded' });
    await shared.append(old);
    await expect(old.journal.rotate()).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(shared.texts()).toEqual(before);
  });

  it('given records that the first wrote after its end, ignores them, whatever they are, also in readFrom', async () => {
    const next = await shared.open();
    const [path] = shared.filesOf(1).keys();
    const whole = shared.disk.image().get(path ?? '') ?? Buffer.alloc(0);
    await shared.append(next);
    shared.disk.plant(path ?? '', Buffer.concat([whole, whole.subarray(200), Buffer.from('garbage\n')]));
    const late = `${JOURNAL_DIRECTORY}/journal-0000000000000009-000001.log`;
    shared.disk.plant(late, Buffer.from(encodeHeader({ epoch: 0, seq: 8, hash: 'f'.repeat(32) }, 0)));

    const third = await shared.open();

    expect(third.sink.records.map(({ op }) => op.n)).toEqual([1, 2, 3]);
    const read = await third.journal.readFrom(1, 1e6);
    expect(read === 'gone' ? read : read.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(shared.disk.image().has(late)).toBe(false);
  });

  it('given a file with the name of its segment, refuses to open', async () => {
    const taking: SharedDirectory['disk'] = shared.disk;
    taking.beforeCall = ({ operation, path }) => {
      if (operation === 'create') taking.plant(path, Buffer.alloc(0));
      return Promise.resolve();
    };

    await expect(shared.open()).rejects.toMatchObject({ code: 'superseded' });
  });

  it('given a record that the first acknowledges between the recovery and the new segment, refuses to open', async () => {
    let appended: Promise<unknown> | undefined;
    shared.disk.beforeCall = async ({ operation }) => {
      if (operation !== 'create' || appended !== undefined) return;
      appended = shared.append(old);
      await appended;
    };

    await expect(shared.open()).rejects.toMatchObject({ code: 'superseded' });
    shared.disk.beforeCall = undefined;
    expect(await appended).toBeUndefined();
    expect(shared.history.audit(await shared.recovered())).toEqual([]);
  });
});

describe('Journal with a monotonic clock', () => {
  it('looks for a successor when 250 ms have passed since the last look, and not before', async () => {
    const disk = new SimulatedDisk(new SeededRandom(1));
    let nowMs = 1_000;
    const ports = {
      disk: disk.attach(),
      crashSites: { reach: () => undefined },
      log: new RecordingLog(),
      clock: new SimulatedClock(),
      nextTurn: setImmediate,
      timers: PROMPT_TIMERS,
      process: new RecordingProcessControl(),
      monotonicMs: () => nowMs,
    };
    const options = { directory: JOURNAL_DIRECTORY, reserveBytes: 0 };
    const journal = await Journal.open<NumberedOp, number>(ports, options, new RecordingSink([]), GENESIS);
    const looks = (): number => disk.calls.filter(({ operation }) => operation === 'list').length;
    const atStart = looks();

    const counts: number[] = [];
    for (const passedMs of [0, 0, 250, 1, 0, 10_000]) {
      nowMs += passedMs;
      await journal.append({ n: counts.length, text: '' });
      counts.push(looks() - atStart);
    }

    expect(counts).toEqual([1, 1, 1, 2, 2, 3]);
  });
});
