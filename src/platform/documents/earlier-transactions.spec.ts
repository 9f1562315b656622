import { beforeEach, describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';

/** Every close takes a snapshot. */
const OFTEN = { snapshotEveryBytes: 1 };
const RARELY = { snapshotEveryBytes: 1_000_000 };

describe('the earlier transactions that a document store knows at its start', () => {
  let world: DocumentWorld;

  const prepare = (id: string): Promise<unknown> =>
    world.store.prepare({ id, kind: 'test', decidedBy: 'database', incarnation: 1 }, [
      { type: 'bump', collection: 'customers' },
    ]);
  const decided = (): string[] => world.store.carriedOut().map(({ id, decision }) => `${id} ${decision}`);
  /** Closes the store, and opens its disk or the given copy of it. */
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

  it('are those after its snapshot, those in the snapshot and its own, oldest first', async () => {
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

  it('are all after its snapshot, even more than the memory holds', async () => {
    const ids = Array.from({ length: 2_100 }, (_, index) => `t${String(index)}`);
    await Promise.all(ids.map(prepare));
    await Promise.all(ids.map((id) => world.store.commitPrepared(id)));
    await world.reopenAfterPowerLoss();

    expect(decided()).toEqual(ids.map((id) => `${id} committed`));
  });

  it('are remembered as long as a start may report them', async () => {
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

  describe('whose promise is in question', () => {
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
    ])('may have been promised, %s', async (_, options) => {
      for (let start = 0; start < 3; start += 1) {
        expect(world.store.mayHavePrepared('t', promised)).toBe(true);
        await restart(options);
      }
      await world.store.commitPrepared('t');
      await restart(options);
      expect(world.store.mayHavePrepared('t', promised)).toBe(true);
    });

    it('were not promised in an older copy that continues as another history', async () => {
      await restart(RARELY, before);
      expect([position('t'), world.store.mayHavePrepared('t', promised)]).toEqual(['', false]);

      for (let count = 0; count < 3; count += 1) await world.create('instead');
      await world.reopenAfterPowerLoss();
      expect(world.store.mayHavePrepared('t', promised)).toBe(false);
    });

    it('are uncertain in an older copy whose snapshot covers their records', async () => {
      await restart(RARELY, before);
      for (let count = 0; count < 3; count += 1) await world.create('instead');
      await restart(OFTEN);
      await restart(RARELY);

      expect(world.store.mayHavePrepared('t', promised)).toBe(true);
    });

    it('were not promised beyond the end of the history, or under another number', async () => {
      await restart(RARELY);
      const { epoch, seq } = world.store.position;

      const positions = ['1.2', `${String(epoch)}.${String(seq + 1)}`, '9.3', 'no position'];
      expect(positions.map((at) => world.store.mayHavePrepared('t', at))).toEqual([false, false, false, false]);
      expect(world.store.mayHavePrepared('another', promised)).toBe(false);
    });
  });
});
