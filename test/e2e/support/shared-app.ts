import { afterAll, beforeAll } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../../support/app-process.js';
import { Client } from './client.js';

/** One app for all tests of a `describe` or file, started before them and stopped after. */
export interface SharedApp {
  readonly client: Client;
  readonly process: AppProcess;
}

export function useSharedApp(environment: Readonly<Record<string, string>> = {}): SharedApp {
  const directory = temporaryDirectory();
  let app: AppProcess | undefined;
  const running = (): AppProcess => {
    if (!app) throw new Error('the app is started before the tests, not while they are collected');
    return app;
  };
  beforeAll(async () => {
    app = await AppProcess.start(directory, environment);
  });
  afterAll(async () => {
    await app?.stop();
    removeDirectory(directory);
  });
  return {
    get client() {
      return new Client(running().url);
    },
    get process() {
      return running();
    },
  };
}
