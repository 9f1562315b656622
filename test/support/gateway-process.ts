import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ServerProcess } from './server-process.js';

const PROGRAM = resolve('dist/bundle/gateway.mjs');

/** The real gateway of a data directory, on a free port, as `npm run start:gateway` runs it. */
export class GatewayProcess extends ServerProcess {
  /** Starts without waiting. */
  static spawn(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): GatewayProcess {
    const runFile = join(dataDirectory, 'gateway.json');
    rmSync(runFile, { force: true });
    return new GatewayProcess({
      args: [PROGRAM],
      environment: { GATEWAY_PORT: '0', DATA_DIR: dataDirectory, REPLICA_PORTS: '', ...environment },
      runFile: () => runFile,
    });
  }

  /** Resolves when it answers. Rejects with what it printed when it exits instead; it never outlives a rejection. */
  static start(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    return GatewayProcess.spawn(dataDirectory, environment).whenReady();
  }
}
