import { describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../test/support/app-process.js';
import { fileLayoutOf, readerRunFiles } from './file-layout.js';

describe('the command line of a process', () => {
  it.each([
    ['node /srv/dist/bundle/api.mjs ', 'app'],
    ['node scripts/run.mjs app ', 'app'],
    ['node scripts/run.mjs app --port 5050 ', 'app'],
    ['node /srv/dist/bundle/reader.mjs --reader --port 0 ', 'reader'],
    ['node scripts/run.mjs app --reader --port 5051 ', 'reader'],
    ['node scripts/run.mjs app --port 5051 --reader ', 'reader'],
    ['node scripts/run.mjs replica --port 5071 ', 'replica'],
    ['node scripts/run.mjs cli status ', undefined],
    ['vim src/main/reader/main.ts ', undefined],
  ])('"%s" is that of %s', (line, expected) => {
    const data = temporaryDirectory();
    writeFileSync(join(data, 'reader-5051.json'), '');
    const layout = fileLayoutOf({ dataDirectory: data, replicasDirectory: data });
    const runFiles = {
      app: layout.app.runFile,
      replica: layout.replica(1, 5071).runFile,
      reader: readerRunFiles(data)[0]!,
    };
    removeDirectory(data);

    const found = Object.entries(runFiles).filter(([, { program }]) => program.test(line));
    expect(found.map(([name]) => name)).toEqual(expected === undefined ? [] : [expected]);
  });
});
