import { beforeEach, describe, expect, it } from '@jest/globals';
import { GENESIS, type ChainPosition } from '../../kernel/index.js';
import { beginJournal, encodeRecord, forgetEnd, witnessPath } from './index.js';
import {
  JOURNAL_DIRECTORY,
  JournalWorld,
  openImage,
  positionOf,
  type Reopened,
} from '../../../test/support/journal-world.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';

type Image = ReadonlyMap<string, Buffer>;

const WITNESS = witnessPath(JOURNAL_DIRECTORY);
const SLOT_BYTES = 4096;
const RECORDS = 12;

const segmentsOf = (image: Image): string[] => [...image.keys()].filter((path) => path.endsWith('.log')).sort();
const newestOf = (image: Image): string => segmentsOf(image).at(-1) ?? '';
const bytesOf = (image: Image, path: string): Buffer => image.get(path) ?? Buffer.alloc(0);
const changed = (image: Image, path: string, bytes: Buffer): Image => new Map(image).set(path, bytes);
const without = (image: Image, isGone: (path: string) => boolean): Image =>
  new Map([...image].filter(([path]) => !isGone(path)));

/** The offsets in a segment at which a line, and so a record or a batch header, ends. */
const lineEnds = (bytes: Buffer): number[] => [...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []));
const isBatch = (bytes: Buffer, at: number): boolean => bytes.subarray(at + 9, at + 17).toString() === '{"batch"';

/** Cuts the newest segment after its line number `keep`. */
function cutBehindLine(image: Image, keep: number): Image {
  const path = newestOf(image);
  const bytes = bytesOf(image, path);
  return changed(image, path, bytes.subarray(0, lineEnds(bytes).at(keep)));
}

describe('a journal that was killed with kill -9 and has lost its end since', () => {
  let world: JournalWorld;
  /** All 12 records are there: the first 4 only in this segment's predecessor and in the snapshot. */
  let image: Image;
  let covered: ChainPosition;

  beforeEach(async () => {
    world = new JournalWorld();
    await world.open();
    await world.appendTogether(4);
    world.takeSnapshot();
    covered = world.covered;
    await world.journal.rotate();
    for (let batch = 0; batch < 4; batch += 1) await world.appendTogether(2);
    // The witness writes a note of a batch in the next turn.
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    world.disk.kill();
    image = world.disk.image();
  });

  const CUTS: readonly (readonly [what: string, cut: (image: Image) => Image])[] = [
    ['its last record cut off', (whole) => cutBehindLine(whole, -2)],
    [
      'its newest segment cut where an earlier batch ended',
      (whole) => {
        const bytes = bytesOf(whole, newestOf(whole));
        const batches = lineEnds(bytes).filter((at) => isBatch(bytes, at));
        return changed(whole, newestOf(whole), bytes.subarray(0, batches[2]));
      },
    ],
    [
      'its last record cut in the middle',
      (whole) => changed(whole, newestOf(whole), bytesOf(whole, newestOf(whole)).subarray(0, -7)),
    ],
    ['its newest segment cut to its header', (whole) => cutBehindLine(whole, 0)],
    ['its newest segment cut to 0 bytes', (whole) => changed(whole, newestOf(whole), Buffer.alloc(0))],
    ['its newest segment removed', (whole) => without(whole, (path) => path === newestOf(whole))],
    ['all its segments removed and the snapshot left', (whole) => without(whole, (path) => path.endsWith('.log'))],
  ];

  it.each(CUTS)(
    'given %s, refuses to start, names file, actual and expected position and the remedy, and changes nothing',
    async (_, cut) => {
      const { error, disk } = await openImage(cut(image), covered);

      const { code, message } = error as { code: string; message: string };
      expect(code).toBe('recovery-needed');
      expect(message).toContain(JOURNAL_DIRECTORY);
      expect(message).toMatch(
        /ends with record 0\.\d+ \(byte \d+\), and it went on to record 0\.12 \(byte \d+ of journal-\d+-\d+\.log\)/,
      );
      expect(message).toContain(WITNESS);
      expect(message).toContain('npm run data:accept-loss -- --reason "..."');
      expect(disk.image()).toEqual(cut(image));
    },
  );

  it.each(CUTS)(
    'given %s and another source of the rest, accepts only the rest and is complete at the next start',
    async (_, cut) => {
      const records = world.sink.records.map((record) => ({ ...record, json: JSON.stringify(record) }));
      const rest = ({ journal }: Reopened) => records.slice(journal?.position.seq);
      const opened = await openImage(cut(image), covered, 'report');
      const { journal } = opened;

      expect(journal?.missing).toMatchObject({
        found: journal?.position,
        expected: positionOf(world.sink.records.at(-1)),
      });
      await expect(journal?.append({ n: 99, text: '' })).rejects.toMatchObject({ code: 'recovery-needed' });
      for (const record of rest(opened)) await journal?.follow([record]);
      expect(journal?.missing).toBeUndefined();
      await journal?.append({ n: 13, text: '' });
      opened.disk.losePower();
      const again = await openImage(opened.disk.image(), covered);
      expect([again.error, again.journal?.position.seq]).toEqual([undefined, RECORDS + 1]);
    },
  );

  it.each(CUTS)(
    'given %s and an accepted loss, starts with the remaining records and notices later losses',
    async (_, cut) => {
      const opened = await openImage(cut(image), covered, 'report');
      await opened.journal?.settleEnd();
      await opened.journal?.append({ n: 99, text: '' });
      await opened.journal?.close();
      const found = opened.disk.image();

      expect((await openImage(found, covered)).error).toBeUndefined();
      expect((await openImage(cutBehindLine(found, -3), covered)).error).toMatchObject({ code: 'recovery-needed' });
    },
  );

  it('given a removed last record and a rest of another history, accepts none of that rest', async () => {
    const { journal } = await openImage(cutBehindLine(image, -2), covered, 'report');
    const [record, json] = encodeRecord(journal?.position ?? GENESIS, 1, 0, { n: 0, text: 'another' });

    await expect(journal?.follow([{ ...record, json }])).rejects.toMatchObject({ code: 'conflict' });
    expect(journal?.missing).toBeDefined();
  });

  it('given the records of another history under its name, refuses to start', async () => {
    const other = new JournalWorld();
    await other.open();
    for (let record = 0; record < RECORDS + 3; record += 1) await other.append({ text: 'of another directory' });
    const exchanged = new Map(
      [...other.disk.image()].map(([path, bytes]) => [path, path === WITNESS ? bytesOf(image, path) : bytes]),
    );

    const { error } = await openImage(exchanged);
    expect(error).toMatchObject({ code: 'recovery-needed', message: expect.stringContaining('another history') });
  });

  it.each([
    ['an older copy', (whole: Image, early: Image) => changed(whole, WITNESS, bytesOf(early, WITNESS))],
    [
      'damaged in the newer of its two slots',
      (whole: Image) => {
        const bytes = Buffer.from(bytesOf(whole, WITNESS));
        const counts = [0, SLOT_BYTES].map((at) => Number(/"count":(\d+)/.exec(bytes.toString('latin1', at))?.[1]));
        const newer = SLOT_BYTES * (counts[1]! > counts[0]! ? 1 : 0);
        bytes.fill('x', newer, newer + 20);
        return changed(whole, WITNESS, bytes);
      },
    ],
  ])('given a witness that is %s and no loss, starts', async (_, spoilt) => {
    const early = new JournalWorld();
    await early.open();
    await early.append();
    early.disk.kill();

    const { error, records } = await openImage(spoilt(image, early.disk.image()));
    expect([error, records.length]).toEqual([undefined, RECORDS]);
  });

  it.each([
    ['missing', (whole: Image) => without(whole, (path) => path === WITNESS)],
    ['empty', (whole: Image) => changed(whole, WITNESS, Buffer.alloc(0))],
    ['garbage', (whole: Image) => changed(whole, WITNESS, Buffer.alloc(2 * SLOT_BYTES, 'garbage'))],
    [
      'of a format of another release',
      (whole: Image) => {
        const bytes = Buffer.from(
          bytesOf(whole, WITNESS).toString('latin1').replaceAll('"format":1', '"format":2'),
          'latin1',
        );
        return changed(whole, WITNESS, bytes);
      },
    ],
  ])(
    'given a witness that is %s, refuses to start, names the file, and starts once the loss is accepted',
    async (_, spoilt) => {
      const { error } = await openImage(spoilt(image));
      const opened = await openImage(spoilt(image), GENESIS, 'report');
      await opened.journal?.settleEnd();
      await opened.journal?.append({ n: 1_000, text: '' });
      await opened.journal?.close();

      expect(error).toMatchObject({ code: 'recovery-needed', message: expect.stringContaining(WITNESS) });
      expect((await openImage(opened.disk.image())).error).toBeUndefined();
      expect((await openImage(cutBehindLine(opened.disk.image(), -3))).error).toMatchObject({
        code: 'recovery-needed',
      });
    },
  );

  it('given a removed directory, refuses to start', async () => {
    const { error } = await openImage(without(image, (path) => path.startsWith(`${JOURNAL_DIRECTORY}/`)));

    expect(error).toMatchObject({
      code: 'recovery-needed',
      message: expect.stringContaining('went on to record 0.12'),
    });
  });

  it('given a removed last record after `forgetEnd`, starts', async () => {
    const disk = new SimulatedDisk(undefined, cutBehindLine(image, -2));
    await forgetEnd({ disk: disk.attach(), log: new RecordingLog(), crashSites: NO_CRASH_SITES }, JOURNAL_DIRECTORY);
    disk.losePower();

    expect((await openImage(disk.image(), covered)).error).toBeUndefined();
  });
});

describe('a journal of a version without a witness', () => {
  it('starts, and notices later losses', async () => {
    const disk = new SimulatedDisk();
    const attached = disk.attach();
    await attached.ensureDirectory(JOURNAL_DIRECTORY);
    const ports = { disk: attached, log: new RecordingLog(), crashSites: NO_CRASH_SITES };
    await beginJournal(ports, JOURNAL_DIRECTORY, GENESIS, 0);
    expect([...disk.image().keys()]).not.toContain(WITNESS);

    const { journal, error, disk: upgraded } = await openImage(disk.image());
    expect(error).toBeUndefined();
    await journal?.append({ n: 1, text: '' });
    await journal?.close();

    expect((await openImage(upgraded.image())).error).toBeUndefined();
    expect((await openImage(cutBehindLine(upgraded.image(), 0))).error).toMatchObject({ code: 'recovery-needed' });
  });
});
