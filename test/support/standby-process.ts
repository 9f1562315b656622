import { join, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { eventually } from './eventually.js';
import { ServerProcess } from './server-process.js';

const PROGRAM = resolve('dist/bundle/api.mjs');

interface Note {
  readonly pid: number;
  readonly url: string;
}

/** A real app that waits for the data directory, on free ports and without replicas unless the environment names some. */
export class StandbyProcess extends ServerProcess {
  private constructor(
    private readonly dataDirectory: string,
    environment: Readonly<Record<string, string>>,
  ) {
    super({
      args: [PROGRAM, '--standby'],
      environment: {
        ...{ PORT: '0', STANDBY_PORT: '0', SEED: 'off', DATA_DIR: dataDirectory },
        ...{ REPLICA_PORTS: '', REPLICAS_DIR: join(dataDirectory, 'replicas') },
        ...environment,
      },
      runFile: () => join(dataDirectory, 'standby.json'),
    });
  }

  /** Starts without waiting. */
  static spawn(dataDirectory: string, environment: Readonly<Record<string, string>> = {}): StandbyProcess {
    return new StandbyProcess(dataDirectory, environment);
  }

  /** Resolves when it waits and is prepared. Rejects with what it printed when it exits instead; it never outlives a rejection. */
  static async start(
    dataDirectory: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<StandbyProcess> {
    const standby = StandbyProcess.spawn(dataDirectory, environment);
    await standby.prepared().catch(async (error: unknown) => {
      await standby.kill();
      throw error;
    });
    return standby;
  }

  private async prepared(): Promise<void> {
    await this.ready();
    await eventually(async () => {
      // Another standby may have noted itself before.
      if (this.noteIn('standby.json').pid !== this.pid) throw new Error('the standby does not wait');
      const { status } = await fetch(`${this.url}/health/ready`);
      if (status !== 200) throw new Error(`the standby is not ready: ${String(status)}`);
    });
  }

  /** The address of the app that it has become, from now on its own. Rejects with what it printed when it exits instead. */
  promoted(): Promise<string> {
    return eventually(() => {
      if (this.hasExited) throw new Error(`the standby exited: ${this.printed}`);
      const { pid, url } = this.noteIn('app.json');
      if (pid !== this.pid) throw new Error('the standby has not been promoted');
      this.noted = url;
      return url;
    });
  }

  private noteIn(name: string): Note {
    return JSON.parse(readFileSync(join(this.dataDirectory, name), 'utf8')) as Note;
  }
}
