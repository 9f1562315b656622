import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { directoriesIn, NodeDisk } from './index.js';

/** Every write to it fails for want of room. */
const FULL_DEVICE = '/dev/full';

/** What is particular to the operating system; the rest stands in test/contracts/disk-contract.ts. */
describe('NodeDisk', () => {
  const disk = new NodeDisk();
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bifolio-node-disk-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('given a new file, makes it readable and writable by its owner alone', async () => {
    await (await disk.open(join(directory, 'secret'))).close();

    expect((await stat(join(directory, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it.each(['bookstore.db', 'bookstore.db-wal', 'bookstore.db-shm', 'lock.db'])(
    'given %s, opens it neither for writing nor for reading: closing it again would drop the locks of SQLite',
    async (name) => {
      const path = join(directory, name);

      await expect(disk.open(path)).rejects.toThrow('is opened through SQLite alone');
      await expect(disk.read(path)).rejects.toThrow('is opened through SQLite alone');
      expect(existsSync(path)).toBe(false);
    },
  );

  it('given directories and files, lists the directories alone, and none where there is nothing', async () => {
    for (const name of ['b', 'a']) await mkdir(join(directory, name));
    await (await disk.open(join(directory, 'file'))).close();

    expect(await directoriesIn(directory)).toEqual([join(directory, 'a'), join(directory, 'b')]);
    expect(await directoriesIn(join(directory, 'missing'))).toEqual([]);
  });

  it('given a relative path whose parents are missing, creates them, for their owner alone', async () => {
    const path = relative(process.cwd(), join(directory, 'a', 'b'));

    await disk.ensureDirectory(path);

    for (const made of ['a', 'a/b']) {
      const found = await stat(join(directory, made));
      expect([found.isDirectory(), found.mode & 0o777]).toEqual([true, 0o700]);
    }
  });

  it('given a file where a directory should be, refuses to create the directory', async () => {
    await (await disk.open(join(directory, 'file'))).close();

    await expect(disk.ensureDirectory(join(directory, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('given a directory where a file should be, refuses to read or open it', async () => {
    await mkdir(join(directory, 'a'));

    await expect(disk.read(join(directory, 'a'))).rejects.toMatchObject({
      code: 'EISDIR',
      message: expect.stringContaining(join(directory, 'a')),
    });
    await expect(disk.open(join(directory, 'a'))).rejects.toMatchObject({ code: 'EISDIR' });
  });

  const onLinux = existsSync(FULL_DEVICE) ? it : it.skip;

  onLinux('given a device without room, fails a write with ENOSPC', async () => {
    const file = await disk.open(FULL_DEVICE);

    await expect(file.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    await file.close();
  });
});
