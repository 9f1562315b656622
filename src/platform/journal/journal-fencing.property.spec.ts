import { describe, expect, it } from '@jest/globals';
import type { Disk } from '../../kernel/index.js';
import { forEachSeed, type SeededRandom } from '../../../test/support/seeded-random.js';
import { settle, SharedDirectory } from '../../../test/support/shared-directory.js';

describe('two processes that write one journal in any order', () => {
  const play = async (random: SeededRandom, shared: SharedDirectory): Promise<readonly string[]> => {
    let current = await shared.open();
    for (let takeover = 0; takeover < 3; takeover += 1) {
      for (let count = random.below(4); count > 0; count -= 1) await shared.append(current);
      const former = current;
      if (random.below(3) === 0) void former.journal.rotate().catch(() => undefined);
      former.disk.stopAfter(random.below(9));
      const pending = [shared.append(former), shared.append(former)];
      await settle();
      current = await shared.open();
      if (random.below(2) === 0) await shared.append(current);
      former.disk.continue();
      await Promise.all(pending);
      await shared.append(former);
      await settle();
      await shared.append(current);
      if (random.below(3) === 0) await current.journal.rotate();
    }
    if (random.below(2) === 0) shared.disk.losePower();
    else shared.disk.kill();
    return shared.history.audit(await shared.recovered());
  };

  const firstViolation = async (spoil?: (disk: Disk) => Disk): Promise<string | undefined> => {
    const found: string[] = [];
    await forEachSeed(1, 150, async (random) => {
      const refused = (error: unknown): string[] => [`a start was refused: ${String(error)}`];
      found.push(...(await play(random, new SharedDirectory(random, spoil)).catch(refused)));
    });
    return found[0];
  };

  it('lose no acknowledged record', async () => {
    expect(await firstViolation()).toBeUndefined();
  });

  it('given a journal that does not look for a successor, lose one', async () => {
    // The looks of the start see everything; later ones see what the first of them saw.
    const blind = (disk: Disk): Disk => {
      let listed: Promise<readonly string[]> | undefined;
      let looks = 0;
      const list = (directory: string): Promise<readonly string[]> => {
        looks += 1;
        return looks <= 2 ? disk.list(directory) : (listed ??= disk.list(directory));
      };
      return Object.assign(Object.create(disk) as Disk, { list });
    };

    expect(await firstViolation(blind)).toMatch(/is lost|out of order|a start was refused/);
  });
});
