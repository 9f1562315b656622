import { beforeEach, describe, expect, it } from '@jest/globals';
import { JOURNAL_DIRECTORY, JournalWorld } from '../../../test/support/journal-world.js';

describe('Journal', () => {
  let world: JournalWorld;
  const textsOf = (): string[] => world.sink.records.map(({ op }) => op.text);
  const segmentNames = (): string[] =>
    [...world.disk.image().keys()].flatMap((path) => path.split(`${JOURNAL_DIRECTORY}/`)[1] ?? []);

  beforeEach(async () => {
    world = new JournalWorld();
    await world.open();
  });

  it('given an empty directory, begins before the first record', () => {
    expect(world.journal.position).toEqual({ epoch: 0, seq: 0, hash: '0'.repeat(32) });
  });

  it('given an append, applies its record once and resolves with the record and the result of the sink', async () => {
    const appended = await world.journal.append({ n: 41, text: 'a' });

    expect(appended).toMatchObject({ record: { epoch: 0, seq: 1, op: { n: 41, text: 'a' } }, result: 41 });
    expect(textsOf()).toEqual(['a']);
    expect(world.journal.position).toEqual({ epoch: 0, seq: 1, hash: appended.record.hash });
  });

  it('given appends of one turn, keeps their order', async () => {
    await Promise.all(['a', 'b', 'c'].map((text) => world.append({ text })));

    expect(textsOf()).toEqual(['a', 'b', 'c']);
    expect(world.audit()).toEqual([]);
  });

  it('given appends that arrive while a batch is written, writes them together with one write and one fdatasync', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let reached = (): void => undefined;
    const writing = new Promise<void>((resolve) => (reached = resolve));
    world.disk.beforeCall = ({ operation }) => {
      if (operation !== 'write') return Promise.resolve();
      reached();
      return held;
    };
    world.disk.calls.length = 0;
    const first = world.append();
    await writing;

    const others = world.appendTogether(20);
    release();
    await Promise.all([first, others]);

    const written = world.disk.calls.map(({ operation }) => operation).filter((operation) => operation !== 'list');
    expect(written).toEqual(['write', 'synchronize', 'write', 'synchronize']);
    expect(world.sink.records).toHaveLength(21);
    expect(world.audit()).toEqual([]);
  });

  it('given an append, neither applies nor acknowledges it before the fdatasync has ended', async () => {
    const seen: number[] = [];
    world.disk.beforeCall = ({ operation }) => {
      if (operation === 'synchronize') seen.push(world.sink.records.length, world.history.promisedCount);
      return Promise.resolve();
    };

    await world.append();

    expect(seen).toEqual([0, 0]);
    expect(world.history.promisedCount).toBe(1);
  });

  it('given a restart, replays every record with equal content', async () => {
    await world.appendTogether(7);
    const before = [...world.sink.records];

    await world.reopenAfterPowerLoss();

    expect(world.sink.records).toEqual(before);
  });

  it('given a covered position, replays only the later records', async () => {
    await world.appendTogether(3);
    world.takeSnapshot();
    await world.append({ text: 'behind' });
    world.sink.records.length = 0;

    await world.reopenAfterPowerLoss();

    expect(world.sink.records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(world.audit()).toEqual([]);
  });

  it('given a clock that is set back, over a rotation and a restart, never lets the time of records go back', async () => {
    await world.append();
    world.clock.advance(-60_000);
    await world.append();
    await world.journal.rotate();
    world.takeSnapshot();
    await world.removeCovered();
    world.clock.advance(-60_000);
    await world.reopenAfterPowerLoss();
    await world.append();
    world.clock.advance(500_000);
    await world.append();

    const times = world.sink.records.map(({ at }) => at);
    expect(times[1]).toBe(times[0]);
    expect(times[2]).toBe(times[0]);
    expect(times[3]).toBe(world.clock.nowMs());
  });

  it('given a new epoch, stamps the records with it and refuses an older epoch, also after a restart', async () => {
    world.journal.beginEpoch(5);
    await world.append();
    await world.reopenAfterPowerLoss();
    await world.append();

    expect(world.sink.records.map(({ epoch }) => epoch)).toEqual([5, 5]);
    expect(() => {
      world.journal.beginEpoch(4);
    }).toThrow('epoch 4 is older than 5');
  });

  it('given a rotation, continues the chain in a new segment', async () => {
    await world.appendTogether(2);
    await world.journal.rotate();
    await world.appendTogether(2);

    expect(segmentNames()).toEqual(['journal-0000000000000001-000001.log', 'journal-0000000000000003-000001.log']);
    await world.reopenAfterPowerLoss();
    expect(world.sink.records).toHaveLength(4);
    expect(world.audit()).toEqual([]);
  });

  it('given rotations and a close, leaves no file open', async () => {
    await world.append();
    await world.journal.rotate();
    await world.append();
    await world.journal.rotate();
    await world.journal.close();

    const count = (operation: string): number => world.disk.calls.filter((call) => call.operation === operation).length;
    expect(count('close')).toBe(count('open') + count('create') + count('openForReading'));
  });

  it('given a rotation of an empty segment, keeps that segment', async () => {
    await world.journal.rotate();
    await world.append();
    await Promise.all([world.journal.rotate(), world.journal.rotate()]);

    expect(segmentNames()).toEqual(['journal-0000000000000001-000001.log', 'journal-0000000000000002-000001.log']);
  });

  it('given a snapshot of all records, removes all segments except the current one', async () => {
    await world.append();
    await world.journal.rotate();
    await world.append();
    world.takeSnapshot();

    await world.removeCovered();
    await world.removeCovered();
    expect(segmentNames()).toEqual(['journal-0000000000000002-000001.log']);
    await world.append();
    await world.reopenAfterPowerLoss();
    expect(world.sink.records).toHaveLength(3);
    expect(world.audit()).toEqual([]);
  });

  it('given a snapshot up to the middle of a segment, keeps that segment', async () => {
    await world.append();
    await world.append();
    await world.journal.rotate();

    await world.journal.removeThrough(1);

    expect(segmentNames()).toHaveLength(2);
  });

  it('given a rotation while segments are removed, keeps the new segment and removes it later in its turn', async () => {
    await world.append();
    await world.journal.rotate();
    await world.append();
    world.takeSnapshot();
    const rotations: Promise<void>[] = [];
    world.disk.beforeCall = async ({ operation }) => {
      if (operation === 'remove' && rotations.length === 0) await rotations[rotations.push(world.journal.rotate()) - 1];
    };

    await world.removeCovered();
    world.disk.beforeCall = undefined;
    await world.append();
    await world.journal.rotate();
    world.takeSnapshot();
    await world.removeCovered();

    expect(segmentNames()).toEqual(['journal-0000000000000004-000001.log']);
  });

  it('given a close, writes the queued records and refuses later appends as shutting down', async () => {
    const queued = world.appendTogether(3);
    await world.journal.close();
    await queued;

    expect(world.sink.records).toHaveLength(3);
    expect(await world.append()).toMatchObject({ code: 'shutting-down', retry: 'safe' });
    await expect(world.journal.rotate()).rejects.toMatchObject({ code: 'shutting-down' });
    await world.reopenAfterPowerLoss();
    expect(world.audit()).toEqual([]);
  });

  it('given a sink that throws, stops the process, rejects the whole batch as unknown and can still be closed', async () => {
    world.sink.apply = () => {
      throw new Error('not deterministic');
    };

    const errors = await Promise.all([world.append(), world.append()]);

    expect(errors).toMatchObject([{ code: 'outcome-unknown' }, { code: 'outcome-unknown' }]);
    expect(world.process.stops).toHaveLength(1);
    await world.journal.close();
  });
});
