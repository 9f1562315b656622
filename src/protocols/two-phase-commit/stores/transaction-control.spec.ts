import { describe, expect, it } from '@jest/globals';
import { controlsTransaction } from './transaction-control.js';

describe('SQL that would begin or end its transaction', () => {
  it.each([
    ...['COMMIT', 'commit', 'Commit Work', 'END', 'end transaction', 'ABORT', 'ROLLBACK', 'ROLLBACK AND CHAIN'],
    ...['BEGIN', 'BEGIN IMMEDIATE', 'START TRANSACTION', "PREPARE TRANSACTION 'a'", 'prepare\n transaction x'],
    ...[' \n\tCOMMIT;', ';COMMIT', '-- a\nCOMMIT', '-- a\rCOMMIT', '/* a */COMMIT', '/**/ /* b */ ;-- c\n COMMIT'],
    ...['/* /* */ COMMIT', '/* /* */ */ COMMIT', '/* /* */ COMMIT; -- */', '\uFEFFCOMMIT', '\0COMMIT', '*/ COMMIT'],
  ])('is recognised by its first words: %j', (sql) => {
    expect(controlsTransaction(sql)).toBe(true);
  });

  it.each([
    ...['SELECT 1', '(SELECT 1)', 'WITH a AS (SELECT 1) SELECT * FROM a', 'INSERT INTO a VALUES (1)', ''],
    ...['SAVEPOINT a', 'RELEASE a', 'ROLLBACK TO a', 'rollback work to savepoint a', 'ROLLBACK TRANSACTION TO a'],
    ...[
      'PREPARE a AS SELECT 1',
      'ENDING',
      '/* COMMIT */ SELECT 1',
      "UPDATE a SET b = 'COMMIT'",
      'SET TRANSACTION READ ONLY',
    ],
  ])('does not include: %j', (sql) => {
    expect(controlsTransaction(sql)).toBe(false);
  });
});
