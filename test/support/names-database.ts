import BetterSqlite3 from 'better-sqlite3';
import {
  DataSource,
  type DataSourceOptions,
  EntitySchema,
  type MigrationInterface,
  type QueryRunner,
  Table,
} from 'typeorm';
import {
  CreateTransactionsTable1763700000004,
  TRANSACTION_ENTITIES,
  type TypeOrmWork,
} from '../../src/protocols/two-phase-commit/index.js';

/** Business rows of a test: names, of which `taken` is taken. */
export const NameEntity = new EntitySchema<{ name: string }>({
  name: 'Name',
  tableName: 'names',
  columns: { name: { type: 'varchar', length: 255, primary: true } },
});

class CreateNames1763700000005 implements MigrationInterface {
  name = 'CreateNames1763700000005';

  async up(runner: QueryRunner): Promise<void> {
    const columns = [{ name: 'name', type: 'varchar', length: '255', isPrimary: true }];
    await runner.createTable(new Table({ name: 'names', columns }));
    await runner.query("INSERT INTO names VALUES ('taken')");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('names');
  }
}

/** A DataSource with names and the tables of transactions, as an application would set one up. */
export async function openNamesDatabase(connection: DataSourceOptions): Promise<DataSource> {
  const dataSource = new DataSource({
    ...connection,
    entities: [NameEntity, ...TRANSACTION_ENTITIES],
    migrations: [CreateTransactionsTable1763700000004, CreateNames1763700000005],
  });
  await dataSource.initialize();
  await dataSource.runMigrations();
  return dataSource;
}

export function sqliteFile(
  file: string,
  more: Partial<Extract<DataSourceOptions, { type: 'better-sqlite3' }>> = {},
): DataSourceOptions {
  const prepareDatabase = (handle: BetterSqlite3.Database): void => {
    handle.pragma('journal_mode = WAL');
    handle.pragma('synchronous = FULL');
  };
  return { type: 'better-sqlite3', database: file, driver: BetterSqlite3, timeout: 0, prepareDatabase, ...more };
}

/** Work that takes a name. */
export function taking(name: string): TypeOrmWork {
  return async (manager) => {
    await manager.insert(NameEntity, { name });
    return `result of ${name}`;
  };
}
