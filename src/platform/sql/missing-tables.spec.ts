import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../test/support/app-process.js';
import { tablesMissingIn } from './index.js';

describe('the tables that a file lacks', () => {
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(() => {
    removeDirectory(directory);
  });

  it('are those that are not there, or not with the column that is asked for', () => {
    const file = join(directory, 'a.db');
    new BetterSqlite3(file).exec('CREATE TABLE steps (number INTEGER); CREATE TABLE meta (id INTEGER)').close();

    expect(tablesMissingIn(file, ['meta', 'meta.id', 'steps', 'steps.id', 'lives', 'lives.id'])).toEqual([
      ...['steps.id', 'lives', 'lives.id'],
    ]);
  });
});
