import { describe, expect, it } from '@jest/globals';
import { FailingCacheTier } from '../../../test/support/failing-cache-tier.js';
import { eventually } from '../../../test/support/eventually.js';
import { SimulatedCacheTier } from '../../../test/support/simulated-cache-tier.js';
import { VersionedTable } from '../../../test/support/versioned-table.js';
import { systemTimers } from '../process/index.js';
import { FormerGenerations } from './former-generations.js';

const VALUE = Buffer.from('value');

describe('entries of former generations', () => {
  const world = (formerIncarnations: readonly string[] = []) => {
    const [table, simulated] = [new VersionedTable(), new SimulatedCacheTier()];
    const tier = new FailingCacheTier(simulated);
    const open = (): FormerGenerations =>
      new FormerGenerations({ tables: ['books'], source: table, tier, formerIncarnations, timers: systemTimers });
    const set = (incarnation: string, generation: number): Promise<void> =>
      simulated.set(`${incarnation}:books:${String(generation)}:x`, VALUE, {
        group: `${incarnation}:books`,
        generation,
      });
    const left = (keys: readonly string[]): Promise<void> =>
      eventually(() => {
        expect(simulated.keys).toEqual(keys);
      });
    return { table, tier, open, set, left };
  };

  it('are gone soon after a write, and those of the current one stay', async () => {
    const { table, open, set, left } = world();
    const former = open();
    await set('db:1', 0);
    table.write('a', 'one');
    await set('db:1', 1);
    former.noticeCommit();

    await left(['db:1:books:1:x']);
    former.close();
  });

  it('that were set after the first look, are gone after the second', async () => {
    const { table, open, set, left } = world();
    const former = open();
    await set('db:1', 0);
    table.write('a', 'one');
    former.noticeCommit();
    await left([]);
    await set('db:1', 0);

    await left([]);
    former.close();
  });

  it('are gone although the first attempts to remove them fail', async () => {
    const { table, tier, open, set, left } = world();
    const former = open();
    tier.on('removeBefore', { times: 3 });
    await set('db:1', 0);
    table.write('a', 'one');
    former.noticeCommit();

    await left([]);
    former.close();
  });

  it('of former incarnations are gone after the start', async () => {
    const { open, set, left } = world(['db:0', 'db:00']);
    await set('db:0', 7);
    await set('db:00', 8);
    await set('db:1', 0);
    const former = open();

    await left(['db:1:books:0:x']);
    former.close();
  });
});
