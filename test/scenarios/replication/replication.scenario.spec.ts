import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { runScenario, titleOf } from './scenario-file.js';

/** Each file states the property in prose, then commands and, below a line of dashes, their exact outcome. */
const FOLDER = new URL('.', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
const scenarios = files.map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')] as const);

describe('replication scenarios', () => {
  it.each(scenarios.map(([name, text]) => [titleOf(text), name, text]))('%s (%s)', (_title, _name, text) => {
    expect(runScenario(text)).toBe(text);
  });
});
