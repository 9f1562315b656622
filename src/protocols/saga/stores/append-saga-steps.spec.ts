import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { openDatabase } from '../../../../test/support/books-database.js';
import { PLATFORM_MIGRATIONS, type SqlDatabase } from '../../../platform/sql/index.js';
import { sealOf } from '../../../platform/sql-check/index.js';
import { SAGA_MIGRATIONS } from './saga-migrations.js';

type Row = readonly [number, string, string | null, string, number];

/** Number, step, event that came in, delivery, time. */
const ROWS: readonly Row[] = [
  [7, 'start', null, 'delivered', 100],
  [7, 'mark-paid', 'credit-captured', 'end', 100],
  [8, 'mark-paid', 'credit-captured', 'parked', 99],
  [9, 'start', null, 'pending', 300],
];

describe('step rows of a file from before their integer key', () => {
  let directory: string;
  let database: SqlDatabase;
  const open = (count: number): Promise<SqlDatabase> =>
    openDatabase({
      file: join(directory, 'orders.db'),
      entities: [],
      migrations: [...PLATFORM_MIGRATIONS, ...SAGA_MIGRATIONS.slice(0, count)],
    });

  beforeEach(async () => {
    directory = temporaryDirectory();
    database = await open(3);
    await database.writer.run(() => {
      const insert = database.writeHandle.prepare(
        `INSERT INTO saga_steps (saga_number, step, saga_id, event_in, event, data, at_ms, set_number, delivery, attempts, seal)
         VALUES (?, ?, 'id', ?, 'told', '{}', ?, 0, ?, 2, ?)`,
      );
      for (const [number, step, eventIn, delivery, atMs] of ROWS)
        insert.run(number, step, eventIn, atMs, delivery, sealOf([number, step, 'id', eventIn, 'told', '{}', atMs, 0]));
      database.writeHandle.prepare("UPDATE saga_steps SET data = '[]', seal = seal + 1 WHERE saga_number = 9").run();
    });
    await database.close();
    database = await open(SAGA_MIGRATIONS.length);
  });

  afterEach(async () => {
    await database.close();
    removeDirectory(directory);
  });

  const rows = (): unknown[] =>
    database.reader.handle
      .prepare('SELECT id, saga_number, step, event_in, delivery, at_ms, attempts FROM saga_steps ORDER BY id')
      .raw()
      .all();

  it('are kept, the start of a saga first', () => {
    expect(rows()).toEqual([
      [112, 7, 'start', null, 'delivered', 100, 2],
      [113, 7, 'mark-paid', 'credit-captured', 'end', 100, 2],
      [128, 8, 'mark-paid', 'credit-captured', 'parked', 99, 2],
      [144, 9, 'start', null, 'pending', 300, 2],
    ]);
  });

  it('keep their seals, also one that says that the row is not what was written', () => {
    const sound = database.reader.handle
      .prepare<[], number>(
        'SELECT seal IS seal_of(saga_number, step, saga_id, event_in, event, data, at_ms, set_number) FROM saga_steps ORDER BY id',
      )
      .pluck();
    expect(sound.all()).toEqual([1, 1, 1, 0]);
  });

  it('lose the seal when something else changes them', async () => {
    await database.writer.run(() => database.writeHandle.prepare("UPDATE saga_steps SET event = 'else'").run());

    expect(database.reader.handle.prepare('SELECT DISTINCT seal FROM saga_steps').pluck().all()).toEqual([null]);
  });

  it('go back to the former key', async () => {
    const handle = database.writeSource;
    await handle.undoLastMigration();

    const restored: unknown = await handle.query(
      'SELECT saga_number, step, delivery, attempts FROM saga_steps ORDER BY 1, 2',
    );
    expect(restored).toHaveLength(ROWS.length);
    expect(restored).toContainEqual({ saga_number: 7, step: 'start', delivery: 'delivered', attempts: 2 });
  });
});
