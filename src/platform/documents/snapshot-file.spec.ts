import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DocumentWorld, snapshotPathIn } from '../../../test/support/document-world.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { NodeDisk } from '../disk/index.js';
import { jsonChunks } from './json-chunks.js';
import { type FileCodec, SnapshotFile } from './snapshot-file.js';

const MANY = 100_000;
const PLAIN_JSON: FileCodec<object> = {
  encode: (data) => [JSON.stringify(data).slice(0, -1)],
  decode: (body) => JSON.parse(`${body.toString()}}`) as object,
};

/** The disk after an incarnation that created `count` customers and stopped cleanly. */
async function worldOf(count: number): Promise<DocumentWorld> {
  const world = new DocumentWorld({ snapshotEveryBytes: 1 });
  await world.open();
  await Promise.all(Array.from({ length: count }, (_, index) => world.create(`customer ${String(index + 1)}`)));
  await world.store.close();
  return world;
}

describe('the snapshot file', () => {
  let world: DocumentWorld;
  let image: Map<string, Buffer>;
  let path: string;

  beforeEach(async () => {
    world = await worldOf(2);
    image = world.disk.image();
    path = snapshotPathIn(image);
  });

  const openWith = async (bytes: Buffer): Promise<unknown> => {
    const spoiled = new DocumentWorld({ disk: new SimulatedDisk(new SeededRandom(1), image) });
    spoiled.disk.plant(path, bytes);
    return spoiled.open().then(
      () => 'opened',
      (error: unknown) => error,
    );
  };

  it('is readable JSON, with everything that a restart needs under _meta', () => {
    expect(JSON.parse(world.snapshotText() ?? '')).toEqual({
      customers: {
        1: { name: 'customer 1', orders_count: 0 },
        2: { name: 'customer 2', orders_count: 0 },
      },
      _operations: [expect.objectContaining({ commit: '1.2' }), expect.objectContaining({ commit: '1.3' })],
      _meta: {
        format: 2,
        clusterId: expect.stringMatching(/^[0-9a-f]{32}$/),
        epoch: 1,
        seq: 3,
        hash: expect.stringMatching(/^[0-9a-f]{32}$/),
        counters: { customers: 0 },
        nextIds: { customers: 3 },
        sizes: { customers: 2 },
        operationsAt: expect.any(Number),
        retention: 2,
        prepared: [],
        decisions: [],
      },
      _checksum: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
  });

  it('given a second write while it is writing, refuses it and completes the first', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-snapshot-'));
    const ports = { disk: new NodeDisk(), nextTurn: setImmediate, crashSites: NO_CRASH_SITES };
    const file = new SnapshotFile<object>(ports, join(directory, 'file.json'), PLAIN_JSON);

    const results = await Promise.allSettled([file.write({ first: 'one' }), file.write({ second: 'two' })]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await file.read()).toEqual({ first: 'one' });
    rmSync(directory, { recursive: true });
  });

  it('given any flipped byte, refuses to open and names the file', async () => {
    const good = image.get(path) ?? Buffer.alloc(0);
    for (let offset = 0; offset < good.length; offset += 1) {
      for (const mask of [1, 0x20, 0xff]) {
        const bytes = Buffer.from(good);
        bytes[offset] = (bytes[offset] ?? 0) ^ mask;

        const error = await openWith(bytes);

        expect({ offset, mask, error }).toMatchObject({ error: { code: 'data-corrupt', message: expect.any(String) } });
        expect((error as Error).message).toContain(path);
      }
    }
  });

  it('given any shorter length, refuses to open and names the file', async () => {
    const good = image.get(path) ?? Buffer.alloc(0);
    for (let length = 0; length < good.length - 1; length += 1) {
      const error = await openWith(good.subarray(0, length));

      expect({ length, error }).toMatchObject({ error: { code: 'data-corrupt' } });
      expect((error as Error).message).toContain(path);
    }
  });

  it('given a format of a later version, refuses to open and names the file', async () => {
    const text =
      world
        .snapshotText()
        ?.replace('"format":2', '"format":3')
        .replace(/,"_checksum.*\n/, '') ?? '';
    const checksum = crc32(text).toString(16).padStart(8, '0');

    expect(await openWith(Buffer.from(`${text},"_checksum":"${checksum}"}\n`))).toMatchObject({
      code: 'data-corrupt',
      message: `${path}: unknown format 3`,
    });
  });

  it('given a missing file and a journal that begins after it, refuses to open', async () => {
    const disk = new SimulatedDisk(new SeededRandom(1), image);
    await disk.attach().remove(path);

    await expect(new DocumentWorld({ disk }).open()).rejects.toMatchObject({ code: 'data-corrupt' });
  });

  it(`given ${String(MANY)} customers, is written in pieces and yields to the event loop between them`, async () => {
    const many = new DocumentWorld({ snapshotEveryBytes: 1_000_000_000 });
    await many.open();
    await Promise.all(Array.from({ length: MANY }, (_, index) => many.create(`customer ${String(index + 1)}`)));
    await many.store.close();
    const again = new DocumentWorld({ snapshotEveryBytes: 1, disk: many.disk });
    await again.open();
    let turns = 0;
    let isOver = false;
    const countTurn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(countTurn);
    };
    const pieces: number[] = [];
    again.disk.calls.length = 0;
    again.disk.beforeCall = ({ operation, path: written }) => {
      if (operation === 'write' && written.endsWith('.tmp')) pieces.push(turns);
      return Promise.resolve();
    };
    setImmediate(countTurn);

    await again.create('the last one');
    await again.store.close();
    isOver = true;

    const bytes = again.snapshotText()?.length ?? 0;
    expect(pieces.length).toBeGreaterThan(bytes / 400_000);
    expect(new Set(pieces).size).toBeGreaterThan(pieces.length * 0.9);
  });
});

describe('jsonChunks', () => {
  it('given any plain data, yields pieces that join to the result of JSON.stringify', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect([...jsonChunks(value)].join('')).toBe(JSON.stringify(value));
      }),
    );
  });

  it('given a list of many entries, yields several pieces', () => {
    const list = Array.from({ length: 5_000 }, (_, index) => ({ index }));

    expect([...jsonChunks({ list })].length).toBeGreaterThan(5);
    expect([...jsonChunks({ list })].join('')).toBe(JSON.stringify({ list }));
  });
});
