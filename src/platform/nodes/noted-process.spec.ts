import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../test/support/app-process.js';
import { OtherProcess } from '../../../test/support/other-process.js';
import { NotedProcess } from './noted-process.js';
import { type RunNote, writeRunFile } from './run-file.js';

const URL_NOTED = 'http://127.0.0.1:5050';

describe('the process that a run file names', () => {
  let directory: string;
  let path: string;
  let nowMs: number;
  let noted: NotedProcess;
  let other: OtherProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    path = join(directory, 'app.json');
    nowMs = 0;
    noted = new NotedProcess(path, () => nowMs);
    other = new OtherProcess("console.log('up ' + process.pid); setInterval(() => undefined, 1_000)");
    await other.prints('up');
    writeRunFile(path, { url: URL_NOTED }, Number(/\d+/.exec(other.printed)));
    expect(noted.url()).toBe(URL_NOTED);
  });

  afterEach(async () => {
    await other.end();
    removeDirectory(directory);
  });

  it('is gone as soon as it has died, and when the file is removed', async () => {
    rmSync(path);
    expect(noted.url()).toBeUndefined();
    writeRunFile(path, { url: URL_NOTED }, Number(/\d+/.exec(other.printed)));
    expect(noted.url()).toBe(URL_NOTED);
    await other.end();
    expect(noted.url()).toBeUndefined();
  });

  it('is the next one as soon as another writes the file', () => {
    writeRunFile(path, { url: 'http://127.0.0.1:5052' });
    expect(noted.url()).toBe('http://127.0.0.1:5052');
  });

  it('is gone after a second at the latest when another process has its pid', () => {
    const { ino, mtime } = statSync(path);
    const note = JSON.parse(readFileSync(path, 'utf8')) as RunNote;
    // The same note to the eye that looks at times: its process started at another time than the one that lives.
    writeFileSync(path, JSON.stringify({ ...note, start: 'another time' }));
    utimesSync(path, mtime, mtime);
    expect(statSync(path).ino).toBe(ino);
    nowMs += 1_000;
    expect(noted.url()).toBeUndefined();
  });
});
