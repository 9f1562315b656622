import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { DocumentWorld, type DocumentWorldOptions, SNAPSHOT_PART } from '../../../test/support/document-world.js';
import { forEachSeed } from '../../../test/support/seeded-random.js';
import { type DiskFault, SimulatedCrash } from '../../../test/support/simulated-disk.js';
import type { Disk, DiskFile } from '../../kernel/index.js';
import { DocumentMachine } from './document-machine.js';

/** A small size, so that a short incarnation takes several snapshots. */
const OFTEN = { snapshotEveryBytes: 1_500, clients: 4 };
const WRITES = 12;

const PLANNED = ['EIO', 'ENOSPC', 'outcome-unknown', 'storage-full'];

/** An incarnation that writes and closes, whatever its disk does. */
async function live(world: DocumentWorld): Promise<void> {
  try {
    await world.open();
    await world.write(WRITES);
    await world.store.close();
  } catch (error) {
    if (!(error instanceof SimulatedCrash) && !PLANNED.includes((error as { code: string }).code)) throw error;
  }
}

async function callsOfAnIncarnation(
  options: DocumentWorldOptions,
): Promise<{ readonly count: number; readonly paths: string[] }> {
  const world = new DocumentWorld(options);
  await world.open();
  world.disk.calls.length = 0;
  await world.store.close();
  await live(world);
  return { count: world.disk.calls.length, paths: world.disk.calls.map(({ path }) => path) };
}

describe('DocumentStore, when its process dies', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('given incarnations that end by loss of power at any moment, keeps exactly the acknowledged writes under any seed', async () => {
    await forEachSeed(1, 60, async (random) => {
      const world = new DocumentWorld({ ...OFTEN, seed: random.seed });
      await world.open();
      for (let incarnation = 0; incarnation < 4; incarnation += 1) {
        world.disk.plan({ nth: 1 + random.below(80), code: 'killed' });
        await world.write(WRITES);
        await world.reopenAfterPowerLoss();
        const broken = await world.audit();
        if (broken.length > 0) throw new Error(`incarnation ${String(incarnation)}: ${broken.join('; ')}`);
      }
    });
  });

  it.each<[string, DiskFault['code']]>([
    ['the process dies', 'killed'],
    ['the disk fails', 'EIO'],
    ['the disk is full', 'ENOSPC'],
  ])(
    'given that %s at any one disk call of an incarnation with snapshots, opens with exactly the acknowledged writes',
    async (_, code) => {
      const { count, paths } = await callsOfAnIncarnation(OFTEN);
      expect(paths).toContainEqual(expect.stringMatching(SNAPSHOT_PART));
      for (let nth = 1; nth <= count; nth += 1) {
        const world = new DocumentWorld(OFTEN);
        await world.open();
        await world.write(2);
        await world.store.close();
        world.disk.plan({ nth, code });
        await live(world);
        await world.reopenAfterPowerLoss();

        expect({ nth, broken: await world.audit() }).toEqual({ nth, broken: [] });
      }
    },
  );

  it('given snapshots, keeps only the records that they do not cover', async () => {
    const world = new DocumentWorld(OFTEN);
    await world.open();
    await world.write(WRITES * 4);
    await world.store.close();

    const segments = [...world.disk.image().keys()].filter((path) => path.endsWith('.log'));
    expect(segments).toEqual([expect.not.stringContaining('0000000000000001-')]);
    const kept = segments.map((path) => world.disk.image().get(path)?.length ?? 0);
    expect(Math.max(...kept)).toBeLessThan(OFTEN.snapshotEveryBytes);
  });

  it('given no room for a snapshot, warns, leaves no part of it behind, continues and takes a later snapshot', async () => {
    const world = new DocumentWorld(OFTEN);
    await world.open();
    let isFull = true;
    world.disk.beforeCall = ({ operation, path }) => {
      const isSnapshot = operation === 'write' && SNAPSHOT_PART.test(path);
      return isFull && isSnapshot
        ? Promise.reject(Object.assign(new Error('planned'), { code: 'ENOSPC' }))
        : Promise.resolve();
    };
    await world.write(WRITES);
    await world.store.close();

    expect(world.log.warnings).toContain('no snapshot was taken; the journal continues');
    expect([...world.disk.image().keys()]).not.toContainEqual(expect.stringMatching(/documents-.*json/));
    isFull = false;
    await world.open();
    await world.write(WRITES);
    await world.store.close();
    expect(world.snapshotText()).toBeDefined();
    await world.reopenAfterPowerLoss();
    expect(await world.audit()).toEqual([]);
  });

  it('given a disk that reports a false synchronisation, loses acknowledged writes in the audit', async () => {
    const found: string[] = [];
    await forEachSeed(1, 20, async ({ seed }) => {
      let isLying = false;
      const world = new DocumentWorld({ seed, clients: 4, spoilDisk: (disk) => lyingDisk(disk, () => isLying) });
      await world.open();
      isLying = true;
      await world.write(1);
      isLying = false;
      await world.reopenAfterPowerLoss();
      found.push(...(await world.audit()));
    });

    expect(found).toContainEqual(expect.stringMatching(/should be .* and is gone/));
  });

  it('given a machine that skips a record, loses acknowledged writes in the audit', async () => {
    const world = new DocumentWorld({ clients: 4 });
    skipEvery(9);
    await world.open();
    await world.write(WRITES);

    expect((await world.audit()).join()).toContain('is gone');
  });
});

/** Plants a machine that skips every `nth` put and answers as if it had applied it. */
function skipEvery(nth: number): void {
  const apply = DocumentMachine.prototype.apply;
  let puts = 0;
  jest.spyOn(DocumentMachine.prototype, 'apply').mockImplementation(function (this: DocumentMachine, record) {
    const { op } = record;
    if (op.type !== 'put' || (puts += 1) % nth > 0) return apply.call(this, record);
    apply.call(this, { ...record, op: { type: 'epoch-started', clusterId: this.clusterId, primaryId: '' } });
    return { change: 'created', collection: op.collection, document: { ...op.fields, id: op.id } };
  });
}

/** Plants "acknowledge before fsync". */
function lyingDisk(disk: Disk, isLying: () => boolean): Disk {
  const lying = async (opening: Promise<DiskFile>): Promise<DiskFile> => {
    const file = await opening;
    const synchronize = (): Promise<void> => (isLying() ? Promise.resolve() : file.synchronize());
    return Object.assign(Object.create(file) as DiskFile, { synchronize });
  };
  return Object.assign(Object.create(disk) as Disk, {
    open: (path: string) => lying(disk.open(path)),
    create: (path: string) => lying(disk.create(path)),
  });
}
