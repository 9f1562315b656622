import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../test/support/app-process.js';
import { openDatabase } from '../../../test/support/books-database.js';
import { type SealedTable, sealRows } from '../sql-check/index.js';
import { PLATFORM_MIGRATIONS, SealedRows, type SqlDatabase, sqlMigration } from './index.js';

interface Coin {
  readonly id: string;
  readonly mintedIn: string | null;
  readonly amount: number;
}

const SEALED_COINS: SealedTable = { table: 'coins', columns: ['id', 'minted_in', 'amount'] };
const CreateCoins1764900000001 = sqlMigration('CreateCoins1764900000001', {
  up: [
    'CREATE TABLE coins (id TEXT PRIMARY KEY NOT NULL, minted_in TEXT, amount INTEGER NOT NULL) STRICT',
    (runner) => sealRows(runner, SEALED_COINS),
  ],
  down: ['DROP TABLE coins'],
});

describe('the rows of a sealed table', () => {
  let directory: string;
  let database: SqlDatabase;
  let coins: SealedRows<Coin>;

  beforeEach(async () => {
    directory = temporaryDirectory();
    const migrations = [...PLATFORM_MIGRATIONS, CreateCoins1764900000001];
    database = await openDatabase({ file: join(directory, 'coins.db'), entities: [], migrations });
    coins = new SealedRows<Coin>(database, SEALED_COINS, ({ id, mintedIn, amount }) => [id, mintedIn, amount]);
  });

  afterEach(async () => {
    await database.close();
    removeDirectory(directory);
  });

  it('are inserted, replaced, and found, within the same commit too', async () => {
    const within = await database.writer.run(() => {
      coins.put({ id: 'a', mintedIn: null, amount: 1 });
      coins.put({ id: 'a', mintedIn: 'Rome', amount: 2 });
      return [coins.findWithinWrite('a'), coins.find('a')];
    });

    expect(within).toMatchObject([{ id: 'a', mintedIn: 'Rome', amount: 2 }, undefined]);
    expect(coins.find('a')).toMatchObject({ id: 'a', mintedIn: 'Rome', amount: 2 });
    expect(coins.find('b')).toBeUndefined();
  });

  it('that differ from what was written are reported', async () => {
    await database.writer.run(() => {
      coins.put({ id: 'a', mintedIn: null, amount: 1 });
      database.writeHandle.prepare('DROP TRIGGER coins_changed_elsewhere').run();
      database.writeHandle.prepare('UPDATE coins SET amount = 3').run();
    });

    expect(() => coins.find('a')).toThrow('row a of coins differs from what was written');
  });
});
