import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'node:path';
import { packageVersion } from './package-version.js';

describe('the version that a process tells', () => {
  it('is that of the package it belongs to', () => {
    expect(packageVersion()).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
  });

  it('given no package above it, is unknown, and the process starts all the same', () => {
    expect(packageVersion(parse(process.cwd()).root)).toBe('unknown');
  });
});
