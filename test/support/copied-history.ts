import type { EncodedRecord } from '../../src/kernel/index.js';
import { DocumentWorld, snapshotPathIn } from './document-world.js';
import { SeededRandom } from './seeded-random.js';
import type { SimulatedDisk } from './simulated-disk.js';

/**
 * All records of a primary that had three incarnations, and the snapshot that it had at the end of the second. In each incarnation a
 * transaction is left in doubt, for the next one to decide.
 */
export interface CopiedHistory {
  readonly records: readonly EncodedRecord[];
  readonly snapshot: Buffer;
  /** Of the last record in `snapshot`. */
  readonly snapshotSeq: number;
  readonly disk: SimulatedDisk;
}

/** `writes` in each incarnation. */
export async function copiedHistory(writes: number, seed = 1): Promise<CopiedHistory> {
  const records: EncodedRecord[] = [];
  const random = new SeededRandom(seed);
  const first = new DocumentWorld({ seed, startsNoEpoch: true });
  const live = async (world: DocumentWorld): Promise<void> => {
    await world.open();
    world.store.onDurable((batch) => records.push(...batch));
    await world.store.startEpoch({ epoch: world.store.position.epoch + 1 });
    for (let count = 0; count < writes; count += 1) await writeOne(world, random);
    await decideAll(world);
    await prepare(world, 3);
    await world.store.close();
  };
  await live(first);
  await live(new DocumentWorld({ disk: first.disk, startsNoEpoch: true, snapshotEveryBytes: 1 }));
  const snapshot = first.disk.image().get(snapshotPathIn(first.disk.image())) ?? Buffer.alloc(0);
  const { _meta } = JSON.parse(snapshot.toString()) as { readonly _meta: { readonly seq: number } };
  await live(new DocumentWorld({ disk: first.disk, startsNoEpoch: true }));
  return { records, snapshot, snapshotSeq: _meta.seq, disk: first.disk };
}

async function prepare(world: DocumentWorld, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const { seq } = world.store.position;
    await world.store.prepare(
      { id: `transaction ${String(seq)}`, kind: 'test', decidedBy: 'database', incarnation: 1 },
      [
        { type: 'bump', collection: 'customers' },
        { type: 'create', collection: 'customers', id: 1_000 + seq, fields: { name: 'of a transaction' } },
      ],
    );
  }
}

/** The second of three is left in doubt. */
async function decideAll({ store }: DocumentWorld): Promise<void> {
  for (const [index, { id }] of store.prepared().entries()) {
    if (index % 3 === 0) await store.commitPrepared(id);
    if (index % 3 === 2) await store.abortPrepared(id);
  }
}

async function writeOne(world: DocumentWorld, random: SeededRandom): Promise<void> {
  const id = 1 + random.below(5);
  const fate = random.below(5);
  const key = `key-${String(random.below(1_000_000))}`;
  if (fate === 0) await world.delete(id);
  else if (fate === 1) await world.replace(id, `replaced ${key}`, undefined, key);
  else await world.create(`customer "${key}" \n 📚`, key);
}
