import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'node:path';
import { packageVersion } from './package-version.js';

describe('the version that a process reports', () => {
  it('is that of its package', () => {
    expect(packageVersion()).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
  });

  it('given no package above it, is unknown, and the process still starts', () => {
    expect(packageVersion(parse(process.cwd()).root)).toBe('unknown');
  });
});
