import { join } from 'node:path';
import { SqlTransactionTable } from '../../src/platform/sql/index.js';
import { SqliteLastResource, type SqlWork } from '../../src/protocols/two-phase-commit/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { openBooksDatabase } from '../support/books-database.js';
import { RecordingLog } from '../support/recording-log.js';
import { SimulatedClock } from '../support/simulated-clock.js';
import { describeLastResourceContract } from './last-resource-contract.js';

const INSERT = "INSERT INTO books (title, author, price_cents) VALUES (?, 'A', ?)";

describeLastResourceContract<SqlWork>('SqliteLastResource', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'bookstore.db');
  const titles = new Map<SqlWork, string>();
  const open = async () => {
    const database = await openBooksDatabase(file);
    const ports = { clock: new SimulatedClock(), log: new RecordingLog() };
    const lastResource = new SqliteLastResource(database, new SqlTransactionTable(database, ports, () => false));
    return { database, lastResource };
  };
  let now = await open();
  const workOf = (title: string): SqlWork => {
    const work: SqlWork = () => {
      now.database.writeHandle.prepare(INSERT).run(title, 100);
      if (title === 'refused') now.database.writeHandle.prepare(INSERT).run(title, -1);
      return `result of ${title}`;
    };
    titles.set(work, title);
    return work;
  };
  return {
    lastResource: () => now.lastResource,
    work: () => workOf(`title ${String(titles.size)}`),
    refusedWork: () => workOf('refused'),
    resultOf: (work) => `result of ${String(titles.get(work))}`,
    timesDone: async (work) =>
      now.database.reader.handle
        .prepare<[string | undefined], number>('SELECT count(*) FROM books WHERE title = ?')
        .pluck()
        .get(titles.get(work)) ?? 0,
    reopen: async () => {
      await now.database.close();
      now = await open();
    },
    close: async () => {
      await now.database.close();
      removeDirectory(directory);
    },
  };
});
