import { describe, expect, it } from '@jest/globals';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/app-process.js';
import { NamesParticipant } from './names-participant.js';
import { describeParticipantContract } from './participant-contract.js';

const COUNT = "SELECT count(*) FROM names WHERE name = ? AND state = 'committed'";

describeParticipantContract('NamesParticipant', { refuses: true, remembers: false, rulesOut: false }, async () => {
  const directory = temporaryDirectory();
  const open = (): Database => new BetterSqlite3(join(directory, 'names.db'));
  let db = open();
  let participant = new NamesParticipant(db);
  let count = 0;
  db.exec("INSERT INTO names VALUES ('old', 'committed', 'taken', '')");
  return {
    participant: () => participant,
    work: () => `name ${(count += 1)}`,
    impossibleWork: () => 'taken',
    timesDone: async (work) => db.prepare<[string], number>(COUNT).pluck().get(work) ?? 0,
    reopen: async () => {
      db.close();
      db = open();
      participant = new NamesParticipant(db);
    },
    close: async () => {
      db.close();
      rmSync(directory, { recursive: true });
    },
  };
});

describe('NamesParticipant', () => {
  it('equals the example in DESIGN.md', () => {
    const source = readFileSync(new URL('names-participant.ts', import.meta.url), 'utf8');
    const design = readFileSync(new URL('../../src/protocols/two-phase-commit/DESIGN.md', import.meta.url), 'utf8');

    expect(design).toContain(source.slice(source.indexOf('export class')));
  });
});
