import { beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import { isAppError, GENESIS } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { forgetEnd } from './index.js';
import { encodeLine } from '../disk/index.js';
import type { NumberedRecord } from '../../../test/support/journal-history.js';
import {
  JOURNAL_DIRECTORY,
  JournalWorld,
  openImage,
  positionOf,
  type Reopened,
} from '../../../test/support/journal-world.js';

interface Written {
  readonly image: ReadonlyMap<string, Buffer>;
  readonly records: readonly NumberedRecord[];
}

/** Each entry: the sizes of the batches of one segment. The journal's witness is removed. */
async function write(segments: readonly (readonly number[])[], isClosed: boolean): Promise<Written> {
  const world = new JournalWorld();
  await world.open();
  for (const [index, batches] of segments.entries()) {
    if (index > 0) await world.journal.rotate();
    for (const size of batches) await world.appendTogether(size);
  }
  if (isClosed) await world.journal.close();
  await forgetEnd({ disk: world.disk.attach(), log: world.log, crashSites: NO_CRASH_SITES }, JOURNAL_DIRECTORY);
  return { image: world.disk.image(), records: world.sink.records };
}

const segmentsOf = (image: Written['image']): string[] => [...image.keys()].filter((path) => path.endsWith('.log'));

const changed = (image: Written['image'], path: string, bytes: Buffer): Map<string, Buffer> =>
  new Map(image).set(path, bytes);

const flipped = (bytes: Buffer, offset: number, pattern: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[offset] = copy.readUInt8(offset) ^ pattern;
  return copy;
};

/** Numbers and end offsets of the record lines of a segment; read here without the journal's own code. */
function recordEnds(bytes: Buffer): { readonly seq: number; readonly end: number }[] {
  let end = 0;
  return bytes
    .toString('latin1')
    .split(/(?<=\n)/)
    .flatMap((line) => {
      end += line.length;
      const seq = /^[0-9a-f]{8} \{"epoch":\d+,"seq":(\d+),.*\n$/.exec(line)?.[1];
      return seq === undefined ? [] : [{ seq: Number(seq), end }];
    });
}

/** The highest offset that a batch line vouches for; 0 when there is none. */
function vouchedOffset(bytes: Buffer): number {
  const headers = bytes.toString('latin1').matchAll(/^[0-9a-f]{8} \{"batch":\{"durable":(\d+)\}\}$/gm);
  return Math.max(0, ...[...headers].map((match) => Number(match[1])));
}

const offsetIn = (error: unknown): number => Number(/at byte (\d+)/.exec((error as Error).message)?.[1] ?? NaN);

const firstSeqOf = (path: string): number => Number(/(\d+)-\d+\.log$/.exec(path)?.[1]);

const NEWLINE = 0x0a;

describe('Journal, the batch header', () => {
  it('given several batches and a clean close, names in each batch line all bytes before it as durable', async () => {
    const { image } = await write([[2, 1, 3]], true);
    const text = image.get(segmentsOf(image)[0] ?? '')?.toString('latin1') ?? '';

    const headers = [...text.matchAll(/^[0-9a-f]{8} \{"batch":\{"durable":(\d+)\}\}$/gm)];

    expect(headers).toHaveLength(4);
    expect(headers.map((match) => Number(match[1]))).toEqual(headers.map(({ index }) => index));
  });
});

describe('Journal, cut at every byte', () => {
  let written: Written;
  let paths: string[];
  const lastPath = (): string => paths.at(-1) ?? '';
  const bytesOf = (path: string): Buffer => written.image.get(path) ?? Buffer.alloc(0);

  beforeAll(async () => {
    written = await write([[1, 3, 2], [2, 1, 3]], false); // prettier-ignore
    paths = segmentsOf(written.image);
  });

  it('given a cut of the last segment, recovers exactly the whole records before it and accepts appends', async () => {
    const last = bytesOf(lastPath());
    for (let length = 0; length < last.length; length += 1) {
      const reopened = await openImage(changed(written.image, lastPath(), last.subarray(0, length)));

      const whole = 6 + recordEnds(last.subarray(0, length)).length;
      expect([length, reopened.error, reopened.records]).toEqual([length, undefined, written.records.slice(0, whole)]);
      const again = await openImage(reopened.disk.image());
      expect([length, again.error, again.records.length]).toEqual([length, undefined, whole]);
    }
  });

  it('given a cut within a line, logs file and offset of the removed bytes', async () => {
    const last = bytesOf(lastPath());
    const { end } = recordEnds(last)[3] ?? { end: 0 };

    const { log } = await openImage(changed(written.image, lastPath(), last.subarray(0, end + 5)));

    expect(log.entries).toEqual([
      {
        level: 'warn',
        message: expect.stringContaining('torn end'),
        details: { file: lastPath(), offset: end, bytes: 5 },
      },
    ]);
  });

  it('given a cut of an earlier segment, refuses and names a file', async () => {
    const first = bytesOf(paths[0] ?? '');
    for (let length = 0; length < first.length; length += 1) {
      const { error } = await openImage(changed(written.image, paths[0] ?? '', first.subarray(0, length)));

      expect([length, error]).toMatchObject([length, { code: 'data-corrupt', retry: 'never' }]);
      expect((error as Error).message).toContain(JOURNAL_DIRECTORY);
    }
  });

  it('given a hole below an offset that a later batch vouches for, refuses and names file and offset', async () => {
    const last = bytesOf(lastPath());
    const vouched = vouchedOffset(last);
    for (let length = 0; length < vouched; length += 1) {
      const holed = Buffer.concat([last.subarray(0, length), Buffer.alloc(vouched - length), last.subarray(vouched)]);
      const { error } = await openImage(changed(written.image, lastPath(), holed));

      expect([length, error]).toMatchObject([length, { code: 'data-corrupt' }]);
      expect((error as Error).message).toContain(lastPath());
      expect(offsetIn(error)).toBeLessThanOrEqual(length);
    }
  });
});

describe('Journal, each byte flipped', () => {
  const shapes: [name: string, segments: number[][], isClosed: boolean][] = [
    ['several batches in each segment', [[2, 1], [1, 3, 2]], false], // prettier-ignore
    ['one batch in the last segment', [[2], [2]], false],
    ['a last segment without records', [[2, 1], []], false],
    ['one batch in all', [[3]], false],
    ['a clean close', [[2], [1, 2]], true],
    ['a clean close after a single batch', [[3]], true],
    ['a clean close of a last segment without records', [[2], []], true],
  ];

  /** Describes a wrong reaction of the journal to the flip; undefined for a right one. Cheaper than an `expect` for each flip. */
  const complaintOf = (
    { error, records, disk }: Reopened,
    image: Written['image'],
    written: Written,
    path: string,
    offset: number,
  ): string | undefined => {
    if (error !== undefined) {
      if (!isAppError(error, 'data-corrupt')) return `failed otherwise: ${inspect(error)}`;
      if (!isDeepStrictEqual(disk.image(), image)) return 'refused but changed the disk';
      return error.message.includes(path) && offsetIn(error) <= offset
        ? undefined
        : `named it wrongly: ${error.message}`;
    }
    const bytes = written.image.get(path) ?? Buffer.alloc(0);
    const isLast = path === segmentsOf(written.image).at(-1);
    const vouched = isLast ? vouchedOffset(bytes) : bytes.length;
    if (offset < vouched) return 'did not refuse';
    const vouchedRecords = recordEnds(bytes).findLast(({ end }) => end <= vouched)?.seq ?? firstSeqOf(path) - 1;
    if (records.length < vouchedRecords) return `kept only ${String(records.length)} records`;
    return isDeepStrictEqual(records, written.records.slice(0, records.length)) ? undefined : 'changed a record';
  };

  it.each(shapes)(
    'given %s, refuses with file and offset or keeps all bytes that a batch header names',
    async (_, segments, isClosed) => {
      const written = await write(segments, isClosed);
      const complaints: string[] = [];
      for (const path of segmentsOf(written.image)) {
        const bytes = written.image.get(path) ?? Buffer.alloc(0);
        for (let offset = 0; offset < bytes.length; offset += 1) {
          const patterns = [0x01, 0x80, 0xff, bytes.readUInt8(offset) ^ NEWLINE].filter((pattern) => pattern !== 0);
          for (const pattern of patterns) {
            const image = changed(written.image, path, flipped(bytes, offset, pattern));
            const complaint = complaintOf(await openImage(image), image, written, path, offset);
            if (complaint === undefined) continue;
            complaints.push(`${path} byte ${String(offset)} ^ ${String(pattern)}: ${complaint}`);
          }
        }
      }
      expect(complaints).toEqual([]);
    },
  );

  it('given a clean close, loses no record even if the closing line is damaged', async () => {
    const { image, records } = await write([[2], [1, 2]], true);
    const path = segmentsOf(image).at(-1) ?? '';
    const bytes = image.get(path) ?? Buffer.alloc(0);
    for (let offset = vouchedOffset(bytes); offset < bytes.length; offset += 1) {
      const reopened = await openImage(changed(image, path, flipped(bytes, offset, 0x01)));

      expect([offset, reopened.error, reopened.records.length]).toEqual([offset, undefined, records.length]);
    }
  });
});

describe('Journal, missing and misplaced files', () => {
  let written: Written;
  let paths: string[];

  beforeAll(async () => {
    written = await write([[2], [2], [2]], false);
    paths = segmentsOf(written.image);
  });

  const without = (...gone: (string | undefined)[]): Map<string, Buffer> =>
    new Map([...written.image].filter(([path]) => !gone.includes(path)));

  it('given a missing middle segment, refuses and names the file after the gap', async () => {
    const { error } = await openImage(without(paths[1]));

    expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(paths[2] ?? 'none') });
  });

  it('given a missing first segment that no snapshot covers, refuses and names the file after the gap', async () => {
    const { error } = await openImage(without(paths[0]));

    expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(paths[1] ?? 'none') });
  });

  it('given a missing first segment that a snapshot covers, replays the others', async () => {
    const { records, error } = await openImage(without(paths[0]), positionOf(written.records[1]));

    expect(error).toBeUndefined();
    expect(records).toEqual(written.records.slice(2));
  });

  it('given a snapshot without any segment, refuses and names the directory', async () => {
    const { error } = await openImage(without(...paths), positionOf(written.records[5]));

    expect(error).toMatchObject({ code: 'recovery-needed', message: expect.stringContaining(JOURNAL_DIRECTORY) });
  });

  it('given a snapshot of another history at any position, refuses and removes nothing', async () => {
    for (const seq of [2, 3, 4, 6]) {
      const covered = { ...positionOf(written.records[seq - 1]), hash: 'f'.repeat(32) };
      const { error, disk } = await openImage(written.image, covered);

      expect([seq, error]).toMatchObject([seq, { code: 'data-corrupt' }]);
      expect(disk.image()).toEqual(written.image);
    }
  });

  it('given a segment under the name of another, refuses', async () => {
    const renamed = new Map(without(paths[0])).set(
      paths[0] ?? '',
      written.image.get(paths[1] ?? '') ?? Buffer.alloc(0),
    );

    expect((await openImage(renamed)).error).toMatchObject({ code: 'data-corrupt' });
  });

  it('given exchanged or repeated lines, refuses and names file and offset', async () => {
    const path = paths[2] ?? '';
    const lines = (written.image.get(path)?.toString() ?? '').split(/(?<=\n)/);
    const [header = '', batch = '', first = '', second = ''] = lines;
    for (const disordered of [
      [batch, second, first],
      [batch, second],
      [batch, first, first],
      [batch, first, batch, first, second],
    ]) {
      const bytes = Buffer.from([header, ...disordered].join(''));
      const { error } = await openImage(changed(written.image, path, bytes));

      expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(path) });
      expect(offsetIn(error)).toBeGreaterThan(header.length);
    }
  });

  it('given a record that was changed together with its checksum, refuses', async () => {
    const path = paths[2] ?? '';
    const lines = (written.image.get(path)?.toString() ?? '').split(/(?<=\n)/);
    const forged = lines.map((line) =>
      line.includes('"n":5') ? encodeLine(line.slice(9, -1).replace('"n":5', '"n":4')) : line,
    );
    expect(forged).not.toEqual(lines);

    const { error } = await openImage(changed(written.image, path, Buffer.from(forged.join(''))));

    expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(path) });
  });

  it.each([0, 2])('given an unknown format in segment %i, refuses, names the file and keeps it', async (index) => {
    const path = paths[index] ?? '';
    const header = encodeLine(JSON.stringify({ format: 2, after: GENESIS, at: 0 }));
    const image = changed(written.image, path, Buffer.from(header));

    const { error, disk } = await openImage(image);

    expect(error).toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(/unknown format 2 at byte 0/),
    });
    expect((error as Error).message).toContain(path);
    expect(disk.image()).toEqual(image);
  });

  it('given a last segment whose lines have an unknown format too, refuses and keeps it', async () => {
    const path = paths[2] ?? '';
    const image = changed(written.image, path, Buffer.from('BIFOLIO 9\nrecord\nrecord\n'));

    const { error, disk } = await openImage(image);

    expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringMatching(/at byte 0/) });
    expect(disk.image()).toEqual(image);
  });

  it('given an incomplete segment after a gap, refuses, names it and keeps it', async () => {
    const path = join(JOURNAL_DIRECTORY, 'journal-0000000000000009-000001.log');
    const image = changed(written.image, path, Buffer.alloc(0));

    const { error, disk } = await openImage(image);

    expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(path) });
    expect(disk.image()).toEqual(image);
  });

  it('given an incomplete segment after a torn one, refuses, because the torn one was durable', async () => {
    const path = paths[2] ?? '';
    const torn = written.image.get(path)?.subarray(0, -3) ?? Buffer.alloc(0);
    const next = join(JOURNAL_DIRECTORY, 'journal-0000000000000006-000001.log');

    const { error } = await openImage(changed(changed(written.image, path, torn), next, Buffer.alloc(0)));

    expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(path) });
  });

  it('given a snapshot that is ahead of the journal, continues after the snapshot, also after a restart', async () => {
    const world = new JournalWorld();
    await world.open();
    await world.appendTogether(2);
    const image = world.disk.image();
    await world.appendTogether(3);
    world.takeSnapshot();
    image.forEach((bytes, path) => {
      world.disk.plant(path, bytes);
    });

    await world.reopenAfterPowerLoss();
    expect(world.journal.position.seq).toBe(5);
    await world.append();
    await world.reopenAfterPowerLoss();

    expect(world.sink.records).toHaveLength(6);
    expect(world.audit()).toEqual([]);
    const names = ['journal-0000000000000006-000002.log', 'journal-0000000000000007-000003.log'];
    expect(segmentsOf(world.disk.image())).toEqual(names.map((name) => join(JOURNAL_DIRECTORY, name)));
  });
});
