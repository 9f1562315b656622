import { describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';

/** As an earlier version would have named the files: without the number of the incarnation. */
function earlier(image: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  return new Map(
    [...image].map(([path, bytes]) => [
      path.replace(/-000001\.log$/, '.log').replace(/documents-\d+-\d+\.json$/, 'documents.json'),
      bytes,
    ]),
  );
}

describe('DocumentStore on files that an earlier version has named', () => {
  it('reads them, continues in files of its own, and removes the earlier snapshot with the next', async () => {
    const before = new DocumentWorld({ snapshotEveryBytes: 1_500 });
    await before.open();
    await before.write(30);
    before.disk.kill();
    const image = earlier(before.disk.image());
    expect([...image.keys()].some((path) => path.endsWith('/documents.json'))).toBe(true);

    const after = new DocumentWorld({ disk: new SimulatedDisk(new SeededRandom(1), image), snapshotEveryBytes: 1_500 });
    await after.open();
    expect(after.names()).toEqual(before.names());
    const earlierLogs = [...image.keys()].filter((path) => path.endsWith('.log'));
    const own = [...after.disk.image().keys()].filter((path) => path.endsWith('-000001.log'));
    expect([earlierLogs.length > 0, own.length]).toEqual([true, 1]);
    await after.write(30);
    await after.store.close();

    const left = [...after.disk.image().keys()];
    expect(left).not.toContainEqual(expect.stringMatching(/\/documents\.json$/));
    expect(left.filter((path) => earlierLogs.includes(path))).toEqual([]);
    const stored = after.names();
    await after.reopenAfterPowerLoss();
    expect(after.names()).toEqual(stored);
  });
});
