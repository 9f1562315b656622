import { beforeEach, describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';

/** The last snapshot is taken at every close. */
const OFTEN = { snapshotEveryBytes: 1 };
const RARELY = { snapshotEveryBytes: 1_000_000 };

describe('what a document store knows at its start of earlier transactions', () => {
  let world: DocumentWorld;

  const prepare = (id: string): Promise<unknown> =>
    world.store.prepare({ id, kind: 'test', decidedBy: 'database', incarnation: 1 }, [
      { type: 'bump', collection: 'customers' },
    ]);
  const decided = (): string[] => world.store.carriedOut().map(({ id, decision }) => `${id} ${decision}`);
  /** Closes it, and opens what is on its disk, or on that copy of it. */
  const restart = async (options: object, copy?: ReadonlyMap<string, Buffer>): Promise<void> => {
    await world.store.close();
    const disk = copy === undefined ? world.disk : new SimulatedDisk(new SeededRandom(1), copy);
    world = new DocumentWorld({ ...options, disk });
    await world.open();
  };
  const position = (id: string): string => world.store.prepared().find((found) => found.id === id)?.position ?? '';

  beforeEach(async () => {
    world = new DocumentWorld(RARELY);
    await world.open();
  });

  it('are those behind its snapshot and those that the snapshot remembered, from the oldest on, and its own', async () => {
    await prepare('first');
    await world.store.commitPrepared('first');
    await restart(OFTEN);
    await prepare('open');
    await prepare('second');
    await world.store.abortPrepared('second');
    await restart(OFTEN);
    await restart(RARELY);
    await world.store.commitPrepared('open');

    expect(decided()).toEqual(['first committed', 'second aborted', 'open committed']);
  });

  it('are all behind its snapshot, also more than are remembered', async () => {
    const ids = Array.from({ length: 2_100 }, (_, index) => `t${String(index)}`);
    await Promise.all(ids.map(prepare));
    await Promise.all(ids.map((id) => world.store.commitPrepared(id)));
    await world.reopenAfterPowerLoss();

    expect(decided()).toEqual(ids.map((id) => `${id} committed`));
  });

  it('have not been forgotten as long as a start may tell of them', async () => {
    await prepare('t');
    const acknowledgement = await world.store.commitPrepared('t');
    const isForgotten = (): boolean => world.store.hasForgotten(acknowledgement?.position ?? '');
    for (const options of [RARELY, OFTEN, OFTEN]) {
      expect([isForgotten(), decided()]).toEqual([false, ['t committed']]);
      await restart(options);
    }
    world.clock.advance(3_600_000);
    await prepare('later');
    await world.store.commitPrepared('later');
    expect([isForgotten(), decided()]).toEqual([false, ['t committed', 'later committed']]);

    await restart(OFTEN);
    expect([isForgotten(), decided()]).toEqual([true, ['later committed']]);
  });

  describe('that were promised', () => {
    let promised: string;
    let before: ReadonlyMap<string, Buffer>;

    beforeEach(async () => {
      await world.create('Ada');
      before = new Map(world.disk.image());
      await prepare('t');
      promised = position('t');
    });

    it.each([
      ['without a snapshot behind them', RARELY],
      ['with one', OFTEN],
    ])('is that they may have been, %s', async (_, options) => {
      for (let start = 0; start < 3; start += 1) {
        expect(world.store.mayHavePrepared('t', promised)).toBe(true);
        await restart(options);
      }
      await world.store.commitPrepared('t');
      await restart(options);
      expect(world.store.mayHavePrepared('t', promised)).toBe(true);
    });

    it('is that they were not, in an older copy that goes on as another history', async () => {
      await restart(RARELY, before);
      expect([position('t'), world.store.mayHavePrepared('t', promised)]).toEqual(['', false]);

      for (let count = 0; count < 3; count += 1) await world.create('instead');
      await world.reopenAfterPowerLoss();
      expect(world.store.mayHavePrepared('t', promised)).toBe(false);
    });

    it('is nothing certain, where a snapshot has taken their place in an older copy', async () => {
      await restart(RARELY, before);
      for (let count = 0; count < 3; count += 1) await world.create('instead');
      await restart(OFTEN);
      await restart(RARELY);

      expect(world.store.mayHavePrepared('t', promised)).toBe(true);
    });

    it('is that they were not where the history does not reach, nor under another number of theirs', async () => {
      await restart(RARELY);
      const { epoch, seq } = world.store.position;

      const positions = ['1.2', `${String(epoch)}.${String(seq + 1)}`, '9.3', 'no place'];
      expect(positions.map((at) => world.store.mayHavePrepared('t', at))).toEqual([false, false, false, false]);
      expect(world.store.mayHavePrepared('another', promised)).toBe(false);
    });
  });
});
