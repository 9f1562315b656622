import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { Disk } from '../../src/kernel/index.js';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** An existing, empty directory. */
  readonly directory: string;
  dispose(): Promise<void>;
}

/** The behaviour of every Disk. Only the tests of the simulated disk show what survives a crash. */
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

    it('reads undefined for a missing file', async () => {
      expect(await disk.read(at('none'))).toBeUndefined();
      expect(await disk.read(at('no-directory', 'none'))).toBeUndefined();
    });

    it('creates a missing file, empty, when it opens it', async () => {
      await (await disk.open(at('new'))).close();

      expect(await textOf(at('new'))).toBe('');
    });

    it('keeps the content of an existing file when it opens it', async () => {
      await put(at('file'), 'kept');

      await (await disk.open(at('file'))).close();

      expect(await textOf(at('file'))).toBe('kept');
    });

    it('creates a file only under a free name, and leaves the file that has the name as it is', async () => {
      await put(at('taken'), 'kept');
      const file = await disk.create(at('free'));
      await file.write(Buffer.from('new'), 0);
      await file.close();

      await expect(disk.create(at('taken'))).rejects.toMatchObject({ code: 'EEXIST' });
      expect([await textOf(at('taken')), await textOf(at('free'))]).toEqual(['kept', 'new']);
    });

    it('writes all bytes at the offset and does not change the others', async () => {
      await put(at('file'), 'abcdef');
      const file = await disk.open(at('file'));

      await file.write(Buffer.from('XY'), 2);
      await file.write(Buffer.from('Z'), 6);
      await file.close();

      expect(await textOf(at('file'))).toBe('abXYefZ');
    });

    it('fills the gap between the end of the file and a later offset with zeros', async () => {
      const file = await disk.open(at('file'));

      await file.write(Buffer.from('x'), 3);
      await file.close();

      expect(await disk.read(at('file'))).toEqual(Buffer.from([0, 0, 0, 0x78]));
    });

    it('copies the written bytes, so that the caller may change its own', async () => {
      const bytes = Buffer.from('before');
      const file = await disk.open(at('file'));
      await file.write(bytes, 0);

      bytes.fill('x');
      await file.close();

      expect(await textOf(at('file'))).toBe('before');
    });

    it('writes a whole megabyte', async () => {
      const bytes = Buffer.alloc(1024 * 1024, 'megabyte ');
      const file = await disk.open(at('file'));

      await file.write(bytes, 1);
      await file.synchronize();
      await file.close();

      expect((await disk.read(at('file')))?.subarray(1).equals(bytes)).toBe(true);
    });

    it('truncates to a shorter length and, with zeros, extends to a longer one', async () => {
      await put(at('file'), 'abcdef');
      const file = await disk.open(at('file'));

      await file.truncate(2);
      await file.truncate(4);
      await file.close();

      expect(await disk.read(at('file'))).toEqual(Buffer.from('ab\0\0'));
    });

    it('refuses to write to a closed file', async () => {
      const file = await disk.open(at('file'));
      await file.close();

      await expect(file.write(Buffer.from('late'), 0)).rejects.toThrow();
      expect(await textOf(at('file'))).toBe('');
    });

    it('refuses with ENOENT to open a file in a missing directory', async () => {
      await expect(disk.open(at('none', 'file'))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('lists the names of files, sorted, without directories', async () => {
      await disk.ensureDirectory(at('directory'));
      for (const name of ['b', 'a', 'B', '10', '9']) await put(at(name), name);

      expect(await disk.list(underTest.directory)).toEqual(['10', '9', 'B', 'a', 'b']);
    });

    it('lists nothing for a missing directory', async () => {
      expect(await disk.list(at('none'))).toEqual([]);
    });

    it('creates a directory with its parents, and accepts an existing one', async () => {
      await disk.ensureDirectory(at('a', 'b', 'c'));
      await disk.ensureDirectory(at('a', 'b', 'c'));

      await put(at('a', 'b', 'c', 'file'), 'deep');
      expect(await textOf(at('a', 'b', 'c', 'file'))).toBe('deep');
    });

    it('replaces an existing file by a renamed one', async () => {
      await put(at('old'), 'old');
      await put(at('new'), 'new');

      await disk.rename(at('new'), at('old'));
      await disk.synchronizeDirectory(underTest.directory);

      expect(await disk.list(underTest.directory)).toEqual(['old']);
      expect(await textOf(at('old'))).toBe('new');
    });

    it('renames a directory with its content', async () => {
      await disk.ensureDirectory(at('old', 'inner'));
      await put(at('old', 'file'), 'kept');
      await put(at('old', 'inner', 'deep'), 'kept too');

      await disk.rename(at('old'), at('new'));
      await disk.synchronizeDirectory(underTest.directory);
      await disk.ensureDirectory(at('old'));

      expect(await disk.listDirectories(underTest.directory)).toEqual(['new', 'old']);
      expect([await textOf(at('new', 'file')), await textOf(at('new', 'inner', 'deep'))]).toEqual(['kept', 'kept too']);
      expect(await disk.list(at('old'))).toEqual([]);
    });

    it('refuses with ENOTEMPTY to rename a directory to one with content, and changes neither', async () => {
      await disk.ensureDirectory(at('old'));
      await disk.ensureDirectory(at('new'));
      await put(at('old', 'file'), 'old');
      await put(at('new', 'file'), 'new');

      await expect(disk.rename(at('old'), at('new'))).rejects.toMatchObject({ code: 'ENOTEMPTY' });

      expect([await textOf(at('old', 'file')), await textOf(at('new', 'file'))]).toEqual(['old', 'new']);
    });

    it('lists the names of directories, sorted, without files', async () => {
      for (const name of ['b', 'a', '10']) await disk.ensureDirectory(at(name, 'inner'));
      await put(at('file'), 'file');

      expect(await disk.listDirectories(underTest.directory)).toEqual(['10', 'a', 'b']);
      expect(await disk.listDirectories(at('none'))).toEqual([]);
    });

    it('returns undefined when it opens a missing file for reading', async () => {
      expect(await disk.openForReading(at('none'))).toBeUndefined();
      expect(await disk.openForReading(at('no-directory', 'none'))).toBeUndefined();
    });

    it('reads the bytes from an offset on, and fewer only at the end of the file', async () => {
      await put(at('file'), 'abcdef');
      const reader = await disk.openForReading(at('file'));

      expect(await reader?.size()).toBe(6);
      expect((await reader?.read(1, 3))?.toString()).toBe('bcd');
      expect((await reader?.read(4, 10))?.toString()).toBe('ef');
      expect((await reader?.read(7, 1))?.length).toBe(0);
      await reader?.close();
    });

    it('reads bytes that are written after it opened the file for reading', async () => {
      await put(at('file'), 'ab');
      const reader = await disk.openForReading(at('file'));

      const file = await disk.open(at('file'));
      await file.write(Buffer.from('cd'), 2);
      await file.close();

      expect((await reader?.read(0, 10))?.toString()).toBe('abcd');
      await reader?.close();
    });

    it('continues to read an opened file after another one takes its name, and after its removal', async () => {
      await put(at('file'), 'old');
      await put(at('new'), 'new');
      const reader = await disk.openForReading(at('file'));

      await disk.rename(at('new'), at('file'));
      await disk.remove(at('file'));

      expect((await reader?.read(0, 10))?.toString()).toBe('old');
      await reader?.close();
    });

    it('refuses with ENOENT to rename a missing file', async () => {
      await expect(disk.rename(at('none'), at('new'))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('removes a file, and accepts a missing one', async () => {
      await put(at('file'), 'gone');

      await disk.remove(at('file'));
      await disk.remove(at('file'));

      expect(await textOf(at('file'))).toBeUndefined();
    });

    it('continues to write to a removed open file, and does not create its name again', async () => {
      const file = await disk.open(at('file'));
      await disk.remove(at('file'));

      await file.write(Buffer.from('x'), 0);
      await file.synchronize();
      await file.close();

      expect(await disk.list(underTest.directory)).toEqual([]);
    });

    it('refuses with ENOENT to synchronise a missing directory', async () => {
      await expect(disk.synchronizeDirectory(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });
}
