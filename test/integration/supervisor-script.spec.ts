import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isAlive } from '../../src/platform/nodes/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { type FleetRun, freePorts, StandInFleet } from '../support/stand-in-fleet.js';

const READY = /To stop/;

describe('npm start with a shell script beside the app and a replica', () => {
  let root: string;
  let fleet: StandInFleet;
  let replicaPort: number;
  let scriptPort: number;
  let settings: { readonly SCRIPT_PORT: string };

  beforeEach(async () => {
    root = temporaryDirectory();
    [replicaPort, scriptPort] = (await freePorts(2)) as [number, number];
    settings = { SCRIPT_PORT: String(scriptPort) };
    fleet = new StandInFleet(root, [replicaPort]);
    buildSync({
      entryPoints: ['test/integration/support/listening-script.ts'],
      outfile: fleet.supervisor,
      ...{ bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' },
    });
  });

  afterEach(async () => {
    const stopped = await fleet.run('stop', { args: ['--force'], ...settings }).toEnd();
    removeDirectory(root);
    expect(stopped.code).toBe(0);
  });

  async function start(): Promise<FleetRun> {
    const run = fleet.run('start', settings);
    await run.prints(READY);
    return run;
  }

  const noted = (): number =>
    (JSON.parse(readFileSync(join(fleet.data, 'script.json'), 'utf8')) as { readonly pid: number }).pid;
  const listens = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(scriptPort, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => {
        resolve(false);
      });
    });

  it('shows the script in the table once it listens, and appends its output to its log', async () => {
    const run = await start();

    expect(run.printed).toMatch(new RegExp(`Script\\s+│ tcp://127\\.0\\.0\\.1:${String(scriptPort)} `));
    expect(await listens()).toBe(true);
    expect(readFileSync(join(fleet.data, 'logs/script.log'), 'utf8')).toBe(`listening on ${String(scriptPort)}\n`);
  });

  it('given kill -9 of the script, names it and restarts only the script', async () => {
    const run = await start();
    const [pid, app] = [noted(), fleet.app.pid];

    process.kill(pid, 'SIGKILL');
    await run.prints(/The script \(pid \d+\) was ended by SIGKILL\. Starting it again/, /The script is back at tcp:/);

    expect(noted()).not.toBe(pid);
    expect(fleet.app.pid).toBe(app);
    expect(await listens()).toBe(true);
  });

  it.each(['SIGINT', 'npm stop'])('given %s, stops the app, then the replica, then the script', async (how) => {
    const run = await start();
    const pid = noted();

    if (how === 'SIGINT') process.kill(run.pid, 'SIGINT');
    else expect(await fleet.run('stop', settings).toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });

    expect(await run.exited).toBe(0);
    expect(isAlive(pid)).toBe(false);
    const replica = `replica ${String(replicaPort)}`;
    expect(fleet.history).toEqual([
      ...['app stops', 'app stopped', `${replica} stops`, `${replica} stopped`],
      'script stops',
    ]);
  });

  it('given kill -9 of the supervisor, is supervised by the next start, and stops without any supervisor', async () => {
    const run = await start();
    const pid = noted();
    process.kill(run.pid, 'SIGKILL');
    await run.exited;

    const next = await start();
    expect(next.printed).toMatch(new RegExp(`^Watching again .*: The app .*, The script \\(pid ${String(pid)}\\)\\.`));
    process.kill(pid, 'SIGKILL');
    await next.prints(/The script \(pid \d+\) ended\. Starting it again/, /The script is back at/);

    const second = noted();
    process.kill(next.pid, 'SIGKILL');
    await next.exited;
    expect(await fleet.run('stop', settings).toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });
    await eventually(() => expect(isAlive(second)).toBe(false));
    expect(fleet.history.at(-1)).toBe('script stops');
  });
});
