import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { eventually } from '../../../test/support/eventually.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import type { Disk, DiskFile } from '../../kernel/index.js';
import { NodeDisk } from '../disk/index.js';
import { DataFiles, WatchedDisk } from './index.js';

describe('DataFiles', () => {
  let directory: string;
  let path: string;
  let log: RecordingLog;
  let files: DataFiles;

  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory, 'journal-1.log');
    log = new RecordingLog();
    files = new DataFiles(log);
    writeFileSync(path, 'bytes');
    files.keep(path);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const problem = (): string | undefined => {
    files.look();
    return files.problem;
  };

  it('given a look at any moment while this process cuts a file, find nothing wrong, and find a later cut', async () => {
    await files.whileCut(path, 2, () => {
      expect(problem()).toBeUndefined();
      truncateSync(path, 2);
      expect(problem()).toBeUndefined();
      return Promise.resolve();
    });
    expect(problem()).toBeUndefined();

    truncateSync(path, 1);
    expect(problem()).toContain('was cut from 2 to 1 bytes');
  });

  it.each([
    ['removed', (file: string): void => rmSync(file), 'was removed or renamed'],
    ['renamed', (file: string): void => renameSync(file, `${file}.old`), 'was removed or renamed'],
    [
      'replaced by a copy of itself',
      (file: string): void => {
        copyFileSync(file, `${file}.copy`);
        renameSync(`${file}.copy`, file);
      },
      'was replaced by another file',
    ],
    ['cut', (file: string): void => truncateSync(file, 2), 'was cut from 5 to 2 bytes'],
    [
      'replaced by a directory',
      (file: string): void => {
        rmSync(file);
        mkdirSync(file);
      },
      'was replaced by another file',
    ],
  ])('given a file that was %s, refuse writes and name it, once in the log', (_, harm, fate) => {
    expect([problem(), files.refusal]).toEqual([undefined, undefined]);
    harm(path);

    expect(files.lostAmong([path])).toContain(`${path} ${fate} while it was in use`);
    expect(problem()).toContain(path);
    expect(files.refusal).toMatchObject({
      code: 'storage-damaged',
      retry: 'safe',
      message: expect.stringContaining(fate),
    });
    expect(log.warnings).toHaveLength(1);
  });

  it('given many checks in an unchanged directory, look only at the directory, and notice a removal at once', () => {
    utimesSync(directory, 1, 1);
    expect([files.lostAmong([path]), files.lostAmong([path])]).toEqual([undefined, undefined]);
    renameSync(path, `${path}.old`);

    expect(files.lostAmong([path])).toContain('was removed or renamed');
  });

  it('given a growing file, and a file that is not kept, have no problem', () => {
    appendFileSync(path, 'more');
    writeFileSync(join(directory, 'other'), '');
    rmSync(join(directory, 'other'));

    expect(problem()).toBeUndefined();
  });

  it('given a file that is put back, have no problem any more; given a copy in its place, still have one', () => {
    renameSync(path, `${path}.old`);
    copyFileSync(`${path}.old`, path);
    expect(problem()).toContain('was replaced');
    renameSync(`${path}.old`, path);

    expect(problem()).toBeUndefined();
    expect(log.entries.at(-1)).toMatchObject({ level: 'info' });
  });

  it('given damage, have a permanent problem', () => {
    expect(files.damaged(path, 'row 5 of books')).toMatchObject({ code: 'storage-damaged' });
    files.damaged(path, 'row 6 of books');

    expect(problem()).toContain('row 5 of books');
    expect(log.warnings).toHaveLength(1);
  });

  it('given a watch, notice within the given time, and no more when the watch has ended', () => {
    const timers = new SimulatedTimers();
    const end = files.watch(timers, 250);
    timers.pass(1_000);
    rmSync(path);
    expect(files.problem).toBeUndefined();
    timers.pass(250);

    expect(files.problem).toContain(path);
    end();
    expect(timers.pending).toBe(0);
  });

  describe('behind a disk', () => {
    let disk: WatchedDisk;

    beforeEach(() => {
      disk = new WatchedDisk(new NodeDisk(), files);
    });

    const write = async (name: string, text: string): Promise<void> => {
      const file = await disk.open(join(directory, name));
      await file.truncate(0);
      await file.write(Buffer.from(text), 0);
      await file.synchronize();
      await file.close();
    };

    it('know the files that the process itself creates, cuts, renames and removes', async () => {
      await write('a', 'long');
      await write('a', 'b');
      await write('a.tmp', 'next');
      await disk.rename(join(directory, 'a.tmp'), join(directory, 'a'));
      await write('c', 'c');
      await disk.remove(join(directory, 'c'));
      mkdirSync(join(directory, 'documents'));
      await write('documents/d', 'd');
      await disk.rename(join(directory, 'documents'), join(directory, 'quarantined'));
      expect(problem()).toBeUndefined();

      rmSync(join(directory, 'a'));
      expect(problem()).toContain(join(directory, 'a'));
    });

    it('know a file that the process has read, and notice another file in its place', async () => {
      writeFileSync(join(directory, 'read'), 'text');
      await disk.read(join(directory, 'read'));
      copyFileSync(join(directory, 'read'), join(directory, 'copy'));
      renameSync(join(directory, 'copy'), join(directory, 'read'));
      await disk.openForReading(join(directory, 'read')).then((reader) => reader?.close());

      expect(problem()).toContain('was replaced by another file');
    });

    it('name the file whose fsync takes longer than a second, for as long as it takes', async () => {
      let answer: () => void = () => undefined;
      const slow = Object.assign(Object.create(new NodeDisk()) as Disk, {
        create: () =>
          Promise.resolve({ synchronize: () => new Promise<void>((resolve) => (answer = resolve)) } as DiskFile),
      });
      const file = await new WatchedDisk(slow, files).create(path);
      const synchronizing = file.synchronize();
      expect(files.slowSynchronization).toBeUndefined();
      await eventually(() => {
        expect(files.slowSynchronization).toContain(`the fsync of ${path} has not returned for more than a second`);
      });
      answer();
      await synchronizing;
      expect(files.slowSynchronization).toBeUndefined();
    });

    it('let no write become durable in a file that is gone', async () => {
      const file = await disk.open(path);
      rmSync(path);
      await file.write(Buffer.from('lost'), 0);

      await expect(file.synchronize()).rejects.toThrow(`${path} was removed or renamed`);
      await file.close();
    });
  });
});
