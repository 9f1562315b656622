import { describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';

const LIVES = 6;
const TRANSACTIONS = 40;
const MINUTE_MS = 60_000;

describe('the record before which no decision is told of any more', () => {
  it('rises with snapshots, and no later life tells of one that stands before it', async () => {
    const world = new DocumentWorld({ snapshotEveryBytes: 3_000 });
    await world.open();
    const seqOf = new Map<string, number>();
    const from = [world.store.carriedOutFrom];
    for (let life = 1; life <= LIVES; life += 1) {
      for (let n = 0; n < TRANSACTIONS; n += 1) {
        const id = `${String(life)}-${String(n)}`;
        world.clock.advance(MINUTE_MS);
        await world.store.prepare({ id, kind: 'test', decidedBy: 'sql', era: life }, [
          { type: 'bump', collection: 'customers' },
        ]);
        const receipt = n % 3 === 0 ? await world.store.abortPrepared(id) : await world.store.commitPrepared(id);
        seqOf.set(id, Number(receipt?.place.split('.')[1]));
        from.push(world.store.carriedOutFrom);
      }
      await world.reopenAfterPowerLoss();

      const told = world.store.carriedOut().map(({ id }) => seqOf.get(id) ?? 0);
      expect(told.length).toBeGreaterThan(0);
      expect(Math.min(...told)).toBeGreaterThanOrEqual(from.at(-1) ?? 0);
    }
    expect(from).toEqual([...from].sort((one, other) => one - other));
    expect(new Set(from).size).toBeGreaterThan(LIVES);
  });
});
