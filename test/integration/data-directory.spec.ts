import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';

const SETTINGS = { LOG_LEVEL: 'silent' };

describe('one data directory and two app processes', () => {
  let directories: string[];
  let apps: AppProcess[];

  beforeEach(() => {
    directories = [temporaryDirectory(), temporaryDirectory()];
    apps = [];
  });

  afterEach(async () => {
    for (const app of apps) await app.kill();
    directories.forEach(removeDirectory);
  });

  const start = async (place = 0): Promise<AppProcess> => {
    const app = await AppProcess.start(directories[place] ?? '', SETTINGS);
    apps.push(app);
    return app;
  };
  const refusalOfAnother = async (): Promise<unknown> => {
    const app = AppProcess.spawn(directories[0] ?? '', SETTINGS);
    apps.push(app);
    return { ...(await app.exited), printed: app.printed };
  };
  const refused = {
    code: 1,
    signal: null,
    printed: expect.stringMatching(
      /^data-directory-locked: cannot lock [^\n]+: it is in use by another process [^\n]+\n$/,
    ),
  };

  it('given a running first process, refuses the second in one line, and the first keeps serving', async () => {
    const first = await start();
    const { url } = first;

    expect(await refusalOfAnother()).toEqual(refused);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('given a first process stopped by SIGSTOP, refuses the second; given its death, lets the second take over', async () => {
    const first = await start();
    process.kill(first.pid, 'SIGSTOP');
    expect(await refusalOfAnother()).toEqual(refused);
    await first.kill();

    const second = await start();

    expect((await fetch(`${second.url}/health/ready`)).status).toBe(200);
  });

  it('given two data directories, serves both', async () => {
    const [first, second] = [await start(0), await start(1)];
    const title = { title: 'Only here', author: 'A', price: 1, quantity: 1 };
    const posted = await fetch(`${first.url}/books`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(title),
    });

    expect(posted.status).toBe(201);
    expect(await (await fetch(`${first.url}/books`)).json()).toHaveLength(1);
    expect(await (await fetch(`${second.url}/books`)).json()).toEqual([]);
  });
});
