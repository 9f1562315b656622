import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Disk } from '../../src/kernel/index.js';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** An existing, empty directory. */
  readonly directory: string;
  dispose(): Promise<void>;
}

/** What every Disk does, whichever is behind it. What survives a crash is shown on the simulated one alone. */
export function describeDiskContract(name: string, prepare: () => Promise<DiskUnderTest>): void {
  describe(`${name} as a Disk`, () => {
    let underTest: DiskUnderTest;
    let disk: Disk;
    const at = (...names: string[]): string => join(underTest.directory, ...names);

    const put = async (path: string, text: string): Promise<void> => {
      const file = await disk.open(path);
      await file.write(Buffer.from(text), 0);
      await file.synchronize();
      await file.close();
    };
    const textOf = async (path: string): Promise<string | undefined> => (await disk.read(path))?.toString('utf8');

    beforeEach(async () => {
      underTest = await prepare();
      ({ disk } = underTest);
    });

    afterEach(() => underTest.dispose());

    it('reads undefined when there is no such file', async () => {
      expect(await disk.read(at('none'))).toBeUndefined();
      expect(await disk.read(at('no-directory', 'none'))).toBeUndefined();
    });

    it('creates a missing file empty when it is opened', async () => {
      await (await disk.open(at('new'))).close();

      expect(await textOf(at('new'))).toBe('');
    });

    it('keeps what is in a file when it is opened again', async () => {
      await put(at('file'), 'kept');

      await (await disk.open(at('file'))).close();

      expect(await textOf(at('file'))).toBe('kept');
    });

    it('writes all bytes at the offset and leaves the others as they were', async () => {
      await put(at('file'), 'abcdef');
      const file = await disk.open(at('file'));

      await file.write(Buffer.from('XY'), 2);
      await file.write(Buffer.from('Z'), 6);
      await file.close();

      expect(await textOf(at('file'))).toBe('abXYefZ');
    });

    it('fills with zeros what lies between the end of the file and an offset behind it', async () => {
      const file = await disk.open(at('file'));

      await file.write(Buffer.from('x'), 3);
      await file.close();

      expect(await disk.read(at('file'))).toEqual(Buffer.from([0, 0, 0, 0x78]));
    });

    it('takes a copy of the bytes that it has written, so that the caller may change its own', async () => {
      const bytes = Buffer.from('before');
      const file = await disk.open(at('file'));
      await file.write(bytes, 0);

      bytes.fill('x');
      await file.close();

      expect(await textOf(at('file'))).toBe('before');
    });

    it('writes a megabyte whole', async () => {
      const bytes = Buffer.alloc(1024 * 1024, 'megabyte ');
      const file = await disk.open(at('file'));

      await file.write(bytes, 1);
      await file.synchronize();
      await file.close();

      expect((await disk.read(at('file')))?.subarray(1).equals(bytes)).toBe(true);
    });

    it('truncates to a shorter and, with zeros, to a longer length', async () => {
      await put(at('file'), 'abcdef');
      const file = await disk.open(at('file'));

      await file.truncate(2);
      await file.truncate(4);
      await file.close();

      expect(await disk.read(at('file'))).toEqual(Buffer.from('ab\0\0'));
    });

    it('refuses to write to a file that was closed', async () => {
      const file = await disk.open(at('file'));
      await file.close();

      await expect(file.write(Buffer.from('late'), 0)).rejects.toThrow();
      expect(await textOf(at('file'))).toBe('');
    });

    it('refuses with ENOENT to open a file in a directory that is missing', async () => {
      await expect(disk.open(at('none', 'file'))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('lists the names of files, sorted, without the directories beside them', async () => {
      await disk.ensureDirectory(at('directory'));
      for (const name of ['b', 'a', 'B', '10', '9']) await put(at(name), name);

      expect(await disk.list(underTest.directory)).toEqual(['10', '9', 'B', 'a', 'b']);
    });

    it('lists nothing when there is no such directory', async () => {
      expect(await disk.list(at('none'))).toEqual([]);
    });

    it('creates a directory with its parents, and is content when it is there', async () => {
      await disk.ensureDirectory(at('a', 'b', 'c'));
      await disk.ensureDirectory(at('a', 'b', 'c'));

      await put(at('a', 'b', 'c', 'file'), 'deep');
      expect(await textOf(at('a', 'b', 'c', 'file'))).toBe('deep');
    });

    it('puts a renamed file in the place of the one that had the name', async () => {
      await put(at('old'), 'old');
      await put(at('new'), 'new');

      await disk.rename(at('new'), at('old'));
      await disk.synchronizeDirectory(underTest.directory);

      expect(await disk.list(underTest.directory)).toEqual(['old']);
      expect(await textOf(at('old'))).toBe('new');
    });

    it('refuses with ENOENT to rename a file that is missing', async () => {
      await expect(disk.rename(at('none'), at('new'))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('removes a file, and is content when there is none', async () => {
      await put(at('file'), 'gone');

      await disk.remove(at('file'));
      await disk.remove(at('file'));

      expect(await textOf(at('file'))).toBeUndefined();
    });

    it('goes on writing to a removed file that is still open, and does not bring its name back', async () => {
      const file = await disk.open(at('file'));
      await disk.remove(at('file'));

      await file.write(Buffer.from('x'), 0);
      await file.synchronize();
      await file.close();

      expect(await disk.list(underTest.directory)).toEqual([]);
    });

    it('refuses with ENOENT to synchronise a directory that is missing', async () => {
      await expect(disk.synchronizeDirectory(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });
}
