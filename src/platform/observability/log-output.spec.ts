import { describe, expect, it } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import { LogOutput } from './log-output.js';

const LINE = `${'x'.repeat(99)}\n`;

describe('the log output', () => {
  it('given lines, writes all of them in order, many at a time', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-log-'));
    const path = join(directory, 'log');
    const descriptor = openSync(path, 'w');
    const output = new LogOutput(descriptor);
    const lines = Array.from({ length: 1_000 }, (_, index) => `line ${String(index)}\n`);
    for (const line of lines) output.write(line);
    await eventually(() => {
      expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
    });
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  });

  it('given a disk without room, neither throws nor waits', async () => {
    const full = openSync('/dev/full', 'w');
    const output = new LogOutput(full);
    for (let count = 0; count < 20_000; count += 1) output.write(LINE);
    await new Promise(setImmediate);
    output.write(LINE);
    output.flush();
    closeSync(full);
  });
});
