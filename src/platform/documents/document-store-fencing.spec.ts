import { beforeEach, describe, expect, it } from '@jest/globals';
import { DOCUMENTS_DIRECTORY, DocumentWorld, SNAPSHOT_PART } from '../../../test/support/document-world.js';
import { settle } from '../../../test/support/shared-directory.js';
import type { DiskCall } from '../../../test/support/simulated-disk.js';

/** Both stores use one disk, as if the lock of the directory said yes to both processes. */
describe('DocumentStore that another process has taken over', () => {
  let old: DocumentWorld;
  let next: DocumentWorld;
  let release: () => void;
  let isHeld: boolean;

  /** The old process stops in front of the first call that fits. */
  const stopOldAt = (fits: (call: DiskCall) => boolean): void => {
    const released = new Promise<void>((resolve) => (release = resolve));
    isHeld = false;
    old.disk.beforeCall = (call) => {
      if (isHeld || !fits(call)) return Promise.resolve();
      isHeld = true;
      return released;
    };
  };

  const names = (): string[] => {
    return [...old.disk.image().keys()].map((path) => path.slice(DOCUMENTS_DIRECTORY.length + 1)).sort();
  };
  const texts = (paths: readonly string[]): unknown => {
    return paths.map((name) => old.disk.image().get(`${DOCUMENTS_DIRECTORY}/${name}`)?.toString('latin1'));
  };

  beforeEach(async () => {
    old = new DocumentWorld({ snapshotEveryBytes: 2_000 });
    await old.open();
    await old.write(3);
    next = new DocumentWorld({ disk: old.disk, isBeside: true, snapshotEveryBytes: 2_000 });
  });

  it.each<[string, (call: DiskCall) => boolean]>([
    ['the write of its temporary file', ({ operation, path }) => operation === 'write' && SNAPSHOT_PART.test(path)],
    [
      'the fsync of its temporary file',
      ({ operation, path }) => operation === 'synchronize' && SNAPSHOT_PART.test(path),
    ],
    ['its rename', ({ operation }) => operation === 'rename'],
    ['the removal of what it covers', ({ operation, path }) => operation === 'remove' && path.endsWith('.log')],
  ])('given a snapshot that was stopped at %s and continues, keeps its own files and answers', async (_, fits) => {
    stopOldAt(fits);
    void old.write(200);
    while (!isHeld) await new Promise(setImmediate);
    await settle();

    await next.open();
    await next.write(20);
    await settle();
    const own = names().filter((name) => name.includes('-000002.'));
    const before = texts(own);
    release();
    await settle();

    expect(own).not.toEqual([]);
    expect(texts(own)).toEqual(before);
    expect(next.process.isStopped).toBe(false);
    const again = new DocumentWorld({ disk: old.disk });
    await again.open();
    expect(again.names()).toEqual(next.names());
  });

  it('given a snapshot of the old process with dead records, does not start from it', async () => {
    await next.open();
    await next.write(2);
    const stored = next.names();
    const dead = `${DOCUMENTS_DIRECTORY}/documents-0000000000000099-000001.json`;
    old.disk.plant(dead, Buffer.from('{"customers":{}}'));

    const again = new DocumentWorld({ disk: old.disk });
    await again.open();

    expect(again.names()).toEqual(stored);
    expect(old.disk.image().has(dead)).toBe(false);
  });
});
