import { join, resolve } from 'node:path';
import { ServerProcess } from './server-process.js';

const PROGRAM = resolve('dist/bundle/reader.mjs');

/** A real reader of the database in a data directory, on a free port, as `npm run start:app -- --reader` runs it. */
export class ReaderProcess extends ServerProcess {
  /** Starts without waiting. */
  static spawn(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): ReaderProcess {
    return new ReaderProcess({
      args: [PROGRAM, '--reader', '--port', '0'],
      environment: { DATA_DIR: dataDirectory, REPLICA_PORTS: '', ...environment },
      runFile: (pid) => join(dataDirectory, `reader-${String(pid)}.json`),
    });
  }

  /** Resolves when it answers. Rejects with what it printed when it exits instead; it never outlives a rejection. */
  static start(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): Promise<ReaderProcess> {
    return ReaderProcess.spawn(dataDirectory, environment).whenReady();
  }
}
