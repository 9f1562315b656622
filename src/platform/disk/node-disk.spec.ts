import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { directoriesIn, NodeDisk } from './index.js';

/** Every write to this device fails because it has no room. */
const FULL_DEVICE = '/dev/full';

/** Tests that depend on the operating system; test/contracts/disk-contract.ts has the others. */
describe('NodeDisk', () => {
  const disk = new NodeDisk();
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bifolio-node-disk-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('given a new file, makes it readable and writable only for its owner', async () => {
    await (await disk.open(join(directory, 'secret'))).close();

    expect((await stat(join(directory, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it.each(['bookstore.db', 'bookstore.db-wal', 'bookstore.db-shm', 'lock.db'])(
    'given %s, refuses to open it, because closing it would drop the locks of SQLite',
    async (name) => {
      const path = join(directory, name);

      await expect(disk.open(path)).rejects.toThrow('only SQLite may open');
      await expect(disk.read(path)).rejects.toThrow('only SQLite may open');
      expect(existsSync(path)).toBe(false);
    },
  );

  it('given directories and files, lists only the directories, and none for a missing path', async () => {
    for (const name of ['b', 'a']) await mkdir(join(directory, name));
    await (await disk.open(join(directory, 'file'))).close();

    expect(await directoriesIn(directory)).toEqual([join(directory, 'a'), join(directory, 'b')]);
    expect(await directoriesIn(join(directory, 'missing'))).toEqual([]);
  });

  it('given a relative path with missing parents, creates them, only for their owner', async () => {
    const path = relative(process.cwd(), join(directory, 'a', 'b'));

    await disk.ensureDirectory(path);

    for (const made of ['a', 'a/b']) {
      const found = await stat(join(directory, made));
      expect([found.isDirectory(), found.mode & 0o777]).toEqual([true, 0o700]);
    }
  });

  it('given a file under the name of a directory, refuses to create the directory', async () => {
    await (await disk.open(join(directory, 'file'))).close();

    await expect(disk.ensureDirectory(join(directory, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('given a directory under the name of a file, refuses to read or open it', async () => {
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
