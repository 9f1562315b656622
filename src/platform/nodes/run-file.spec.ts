import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../test/support/app-process.js';
import { eventually } from '../../../test/support/eventually.js';
import { keepRunFile } from './run-file.js';

const URL_NOTED = 'http://127.0.0.1:5050';

describe('a process that keeps its run file', () => {
  let directory: string;
  let path: string;
  let end: () => void;

  const noted = (): unknown => JSON.parse(readFileSync(path, 'utf8'));

  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory, 'app.json');
    end = keepRunFile(path, { url: URL_NOTED });
  });

  afterEach(() => {
    end();
    removeDirectory(directory);
  });

  it.each([
    ['removed', (): void => rmSync(path)],
    ['cut', (): void => writeFileSync(path, '{')],
  ])('given that it is %s, writes it again', async (_how, lose) => {
    const before = noted();
    lose();

    await eventually(() => {
      expect(noted()).toEqual(before);
    });
    expect(before).toMatchObject({ pid: process.pid, url: URL_NOTED });
  });

  it('given the note of another process in its place, leaves that note', async () => {
    const other = { pid: process.ppid, url: URL_NOTED };
    writeFileSync(path, JSON.stringify(other));

    // The look at a second file of the same age shows that the first was looked at as well.
    const second = join(directory, 'second.json');
    const endSecond = keepRunFile(second, { url: URL_NOTED });
    rmSync(second);
    await eventually(() => {
      expect(existsSync(second)).toBe(true);
    });
    endSecond();

    expect(noted()).toEqual(other);
  });

  it('ended after another process has noted itself there, leaves the note of that one', () => {
    const other = { pid: process.ppid, url: URL_NOTED };
    writeFileSync(path, JSON.stringify(other));
    end();

    expect(noted()).toEqual(other);
  });

  it('ended, removes it', () => {
    end();

    expect(existsSync(path)).toBe(false);
  });
});
