import { describe, expect, it } from '@jest/globals';
import { CountedReaders } from '../../../test/support/counted-readers.js';
import { DOCUMENTS, DOCUMENTS_DIRECTORY, DocumentWorld } from '../../../test/support/document-world.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { WarmDocuments } from './index.js';

describe('documents that another process writes', () => {
  it('given records that cannot be read, leave no file open however often that is tried, and are read when they can be', async () => {
    const world = new DocumentWorld();
    await world.open();
    await world.write(10);
    const readers = new CountedReaders();
    const warm = new WarmDocuments(
      { disk: readers.on(world.disk.attachReader()), nextTurn: setImmediate, crashSites: NO_CRASH_SITES },
      { directory: DOCUMENTS_DIRECTORY, collections: [DOCUMENTS] },
    );
    readers.failure = (offset) => (offset > 0 ? new Error('EIO') : undefined);
    for (let looks = 0; looks < 20; looks += 1) await warm.look();
    expect([warm.failure, readers.open]).toEqual(['Error: EIO', 0]);
    readers.failure = () => undefined;

    expect((await warm.take())?.journal.position.seq).toBeGreaterThan(0);
    expect(readers.open).toBe(0);
  });
});
