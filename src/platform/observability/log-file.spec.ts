import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import { LOG_FILE_LIMITS, LogFile, type LogFileLimits } from './log-file.js';
import { LogOutput } from './log-output.js';

const MAX_BYTES = 20_000;
const LINE_BYTES = 100;
/** So many lines fill the buffer, so that the output writes them at once and not at its next half second. */
const BATCH = 41;
const lineOf = (number: number): string => `${String(number).padStart(LINE_BYTES - 1, '.')}\n`;
const numbersIn = (text: string): number[] => [...text.matchAll(/\.+(\d+)\n/g)].map(([, number]) => Number(number));

let directory: string;
let path: string;
let descriptor: number;
let freeBytes: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bifolio-log-'));
  path = join(directory, 'app.log');
  descriptor = openSync(path, 'a', 0o600);
  freeBytes = Number.MAX_SAFE_INTEGER;
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

function outputTo(limits: Partial<LogFileLimits> = {}): LogOutput {
  const file = LogFile.of(descriptor, path, {
    ...LOG_FILE_LIMITS,
    ...{ maxBytes: MAX_BYTES, freeBytes: () => Promise.resolve(freeBytes) },
    ...limits,
  });
  if (!file) throw new Error('the descriptor leads to the file');
  return new LogOutput(descriptor, { file, leftOutLine: (count) => `${String(count)} left out\n` });
}

/** Line after line, each batch in the file before the next begins. */
async function writeBatches(output: LogOutput, from: number, batches: number): Promise<void> {
  const end = from + batches * BATCH;
  for (let number = from; number < end; number += 1) {
    output.write(lineOf(number));
    if ((number + 1 - from) % BATCH !== 0) continue;
    await eventually(
      () => {
        if (!readFileSync(path, 'utf8').endsWith(lineOf(number))) throw new Error(`line ${String(number)} is missing`);
      },
      { everyMs: 1 },
    );
  }
}

describe('a growing log', () => {
  it('given its maximum size, restarts in the same file, and the configured number of earlier ones is kept whole', async () => {
    await writeBatches(outputTo(), 0, 50);
    expect(readdirSync(directory).sort()).toEqual(['app.log', 'app.log.1', 'app.log.2', 'app.log.3']);
    const files = ['app.log.3', 'app.log.2', 'app.log.1', 'app.log'].map((name) => join(directory, name));
    for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(MAX_BYTES);
    const kept = files.flatMap((file) => numbersIn(readFileSync(file, 'utf8')));
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 50 * BATCH - kept.length + index));
    expect(kept.length).toBeGreaterThan(400);
    expect(statSync(path).ino).toBe(statSync(`/proc/self/fd/${String(descriptor)}`).ino);
  });

  it('given a size far above its maximum from an earlier version, keeps only its end', async () => {
    writeFileSync(path, Array.from({ length: 2_000 }, (_, number) => lineOf(number)).join(''));
    await writeBatches(outputTo(), 2_000, 2);
    expect(statSync(path).size).toBe(2 * BATCH * LINE_BYTES);
    expect(statSync(`${path}.1`).size).toBe(MAX_BYTES);
    expect(numbersIn(readFileSync(`${path}.1`, 'utf8')).at(-1)).toBe(1_999);
  });

  it('given a nearly full disk, takes none of the remaining room, and later reports the number of dropped lines', async () => {
    const output = outputTo({ reserveBytes: 1_000_000 });
    freeBytes = 999_999;
    for (let number = 0; number < 200; number += 1) output.write(lineOf(number));
    await eventually(async () => {
      await new Promise(setImmediate);
      expect(statSync(path).size).toBe(0);
    });
    freeBytes = 1_000_000;
    await eventually(() => {
      output.write(lineOf(1_000));
      expect(readFileSync(path, 'utf8')).toMatch(/^\d{3} left out\n/);
    });
    expect(existsSync(`${path}.1`)).toBe(false);
  });

  it('given its maximum size on a nearly full disk, is emptied and not copied', async () => {
    writeFileSync(path, 'x'.repeat(MAX_BYTES));
    freeBytes = 0;
    outputTo().write(lineOf(1).repeat(50));
    await eventually(() => {
      expect(statSync(path).size).toBe(0);
    });
    expect(readdirSync(directory)).toEqual(['app.log']);
  });
});

describe('a descriptor of another file', () => {
  it('is left unchanged', () => {
    writeFileSync(join(directory, 'other'), '');
    expect(LogFile.of(descriptor, join(directory, 'other'))).toBeUndefined();
    expect(LogFile.of(descriptor, join(directory, 'missing'))).toBeUndefined();
  });
});

describe('a secret in a line', () => {
  it('is not written', async () => {
    const secrets = ['a-key-of-16-chars', 'with"quotes-and\\slashes'];
    const output = new LogOutput(descriptor, { secrets });
    for (const secret of secrets) output.write(`${JSON.stringify({ url: `/books/${secret}`, requestId: secret })}\n`);
    output.flush();
    const text = readFileSync(path, 'utf8');
    expect(text).toBe('{"url":"/books/[redacted]","requestId":"[redacted]"}\n'.repeat(2));
  });
});
