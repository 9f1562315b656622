import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ServerProcess } from './server-process.js';

const PROGRAM = resolve('dist/bundle/api.mjs');

/** A data directory of its own, removed by `removeDirectory`. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'bifolio-test-'));
}

export function removeDirectory(path: string): void {
  // The checker of an app that was killed ends when it notices that, and may write meanwhile.
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** The real app, as `npm start` runs it, on a free port and without replicas unless the environment names some. */
export class AppProcess extends ServerProcess {
  /** Starts without waiting. `program`: another one that behaves alike. */
  static spawn(
    dataDirectory: string,
    environment: Readonly<Record<string, string>> = {},
    program = PROGRAM,
  ): AppProcess {
    const runFile = join(dataDirectory, 'app.json');
    rmSync(runFile, { force: true });
    return new AppProcess({
      args: [program],
      environment: {
        ...{ PORT: '0', SEED: 'off', DATA_DIR: dataDirectory },
        ...{ REPLICA_PORTS: '', REPLICAS_DIR: join(dataDirectory, 'replicas') },
        ...environment,
      },
      runFile: () => runFile,
    });
  }

  /** Resolves when it answers. Rejects with what it printed when it exits instead; it never outlives a rejection. */
  static start(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    return AppProcess.spawn(dataDirectory, environment).whenReady();
  }
}
