import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { isAlive, SUPERVISOR_LOCK } from '../../src/platform/nodes/index.js';
import { DataDirectoryLock } from '../../src/platform/process/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { type FleetRun, freePorts, StandInFleet } from '../support/stand-in-fleet.js';

const READY = /To stop/;
const SECRET = 'cluster-secret';

/** The real supervisor over stand-ins: it does not matter to it what the processes do. */
describe('npm start with an app and two replicas', () => {
  let root: string;
  let fleet: StandInFleet;
  let [first, second]: readonly number[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    root = temporaryDirectory();
    [first, second] = await freePorts(2);
    fleet = new StandInFleet(root, [first!, second!]);
  });

  afterEach(async () => {
    servers.splice(0).forEach((server) => server.close());
    // However a test ended, nothing of it goes on.
    const stopped = await fleet.run('stop', { args: ['--force'] }).toEnd();
    removeDirectory(root);
    expect(stopped.code).toBe(0);
  });

  async function start(): Promise<FleetRun> {
    const run = fleet.run('start');
    await run.prints(READY);
    return run;
  }

  const pids = (): number[] => [fleet.app.pid, fleet.replica(first!).pid, fleet.replica(second!).pid];
  const kill = (pid: number): void => {
    process.kill(pid, 'SIGKILL');
  };
  async function occupy(port: number): Promise<void> {
    const server = createServer((_request, response) => response.end('not ours'));
    servers.push(server);
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  }

  it('prints one table when all are ready, and every node keeps the same secret, readable by the owner only', async () => {
    const run = await start();

    for (const [index, port] of [first!, second!].entries()) {
      expect(run.printed).toMatch(
        new RegExp(`Replica ${index + 1}\\s+│ http://127\\.0\\.0\\.1:${port} in ${fleet.directoryOf(port)} `),
      );
      expect(existsSync(join(fleet.data, `logs/replica-${index + 1}.log`))).toBe(true);
    }
    expect(run.printed.match(/Bifolio is ready/g)).toHaveLength(1);
    const kept = [fleet.data, fleet.directoryOf(first!), fleet.directoryOf(second!)].map((at) => join(at, SECRET));
    expect(new Set(kept.map((path) => readFileSync(path, 'utf8'))).size).toBe(1);
    expect(kept.map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  });

  it('given kill -9 of a replica, names it, restarts it and leaves the other processes alone', async () => {
    const run = await start();
    const [app, one, two] = pids();

    kill(two!);
    await run.prints(
      new RegExp(`Replica 2 \\(${second!}\\) was ended by SIGKILL\\. Starting it again in 0\\.25 s \\.\\.\\.`),
      new RegExp(`Replica 2 \\(${second!}\\) is back at`),
    );

    expect(pids().slice(0, 2)).toEqual([app, one]);
    expect(pids()[2]).not.toBe(two);
  });

  it('given kill -9 of all processes, restarts all', async () => {
    const run = await start();
    const before = pids();

    before.forEach(kill);
    await run.prints(/The app is back at/, /Replica 1 \(\d+\) is back at/, /Replica 2 \(\d+\) is back at/);

    expect(pids().filter((pid) => before.includes(pid))).toEqual([]);
    expect(pids().every(isAlive)).toBe(true);
  });

  it.each(['SIGINT', 'npm stop'])('given %s, has stopped the app before it asks a replica to stop', async (how) => {
    const run = await start();
    const running = pids();

    if (how === 'SIGINT') process.kill(run.pid, 'SIGINT');
    else expect(await fleet.run('stop').toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });

    expect(await run.exited).toBe(0);
    expect(run.printed).toMatch(/Stopped\.\n$/);
    expect(running.filter(isAlive)).toEqual([]);
    expect(fleet.history.slice(0, 2)).toEqual(['app stops', 'app stopped']);
    expect([...fleet.history.slice(2)].sort()).toEqual(
      [first!, second!].flatMap((port) => [`replica ${port} stopped`, `replica ${port} stops`]).sort(),
    );
  });

  it("given as many idle connections to the supervisor's port as it accepts, is stopped by npm stop", async () => {
    const run = await start();
    const { url } = JSON.parse(readFileSync(join(fleet.data, 'supervisor.json'), 'utf8')) as { readonly url: string };
    const idle = Array.from({ length: 150 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
    idle.forEach((socket) => socket.on('error', () => undefined));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));

    expect(await fleet.run('stop').toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });
    expect(await run.exited).toBe(0);
    idle.forEach((socket) => socket.destroy());
  });

  it('given the port of a replica in use, names the port and the setting in one line, and leaves nothing', async () => {
    await occupy(second!);

    const { code, printed } = await fleet.run('start').toEnd();

    expect(code).toBe(1);
    expect(printed).toMatch(new RegExp(`^port-taken: port ${second!}, for replica 2,.*REPLICA_PORTS.*\n$`));
    expect(await fleet.run('stop').toEnd()).toEqual({ code: 0, printed: 'Not running.\n' });
  });

  it('given a replica with damaged data, runs without it, says so, and restarts it when the data is repaired', async () => {
    const run = await start();
    process.kill(run.pid, 'SIGTERM');
    await run.exited;
    const broken = join(fleet.directoryOf(first!), 'broken');
    writeFileSync(broken, '');

    const again = await start();
    expect(again.printed).toMatch(/Replica 1\s+│ NOT RUNNING: data-corrupt: .* is broken/);
    expect(isAlive(fleet.app.pid)).toBe(true);

    rmSync(broken);
    await again.prints(/Replica 1 \(\d+\) is back at/);
  });

  it('given kill -9 of supervisor and app, the next start starts a new app, never two on one directory', async () => {
    const run = await start();
    const before = pids();
    [run.pid, before[0]!].forEach(kill);
    await run.exited;
    await eventually(() => expect(isAlive(before[0]!)).toBe(false));

    await start();

    expect(fleet.app.pid).not.toBe(before[0]);
    expect(pids().slice(1)).toEqual(before.slice(1));
    expect(pids().every(isAlive)).toBe(true);
  });

  it('given kill -9 of the supervisor, the next start supervises the running processes and restarts the others', async () => {
    const run = await start();
    const [app = 0, one = 0, two = 0] = pids();
    [run.pid, two].forEach(kill);
    await run.exited;
    await eventually(() => expect(isAlive(two)).toBe(false));

    const next = await start();

    expect(next.printed).toMatch(
      new RegExp(`^Watching again .*: The app \\(pid ${app}\\), Replica 1 .*\\(pid ${one}\\)\\.\n`),
    );
    expect(pids().slice(0, 2)).toEqual([app, one]);
    expect(isAlive(pids()[2]!)).toBe(true);
    kill(app);
    await next.prints(new RegExp(`The app \\(pid ${app}\\) ended\\. Starting it again`), /The app is back at/);
    kill(one);
    await next.prints(/Replica 1 \(\d+\) ended\. Starting it again/, /Replica 1 \(\d+\) is back at/);
    process.kill(next.pid, 'SIGINT');
    expect(await next.exited).toBe(0);
    expect(fleet.history.slice(0, 2)).toEqual(['app stops', 'app stopped']);
  });

  it('given kill -9 of the supervisor and a replica with other settings, restarts that replica and supervises the others', async () => {
    const run = await start();
    const [app, one, two] = pids();
    kill(run.pid);
    await run.exited;
    const runFile = join(fleet.directoryOf(second!), 'replica.json');
    writeFileSync(runFile, JSON.stringify({ ...fleet.replica(second!), settings: { LOG_LEVEL: 'debug' } }));

    await start();

    expect(pids().slice(0, 2)).toEqual([app, one]);
    expect(isAlive(two!)).toBe(false);
  });

  it.each([
    ['began at another time than its note says', { start: '1' }],
    ['does not hold the directory', {}],
  ])(
    'given a process that answers with the pid in the run file, but %s, leaves it alone and starts its own',
    async (_what, marks) => {
      const run = await start();
      [run.pid, ...pids()].forEach(kill);
      await run.exited;
      const bystander = createServer((_request, response) => response.end(JSON.stringify({ pid: process.pid })));
      servers.push(bystander);
      await new Promise<void>((listening) => bystander.listen(0, '127.0.0.1', listening));
      const url = `http://127.0.0.1:${(bystander.address() as AddressInfo).port}`;
      writeFileSync(join(fleet.data, 'app.json'), JSON.stringify({ pid: process.pid, url, ...marks }));

      const next = await start();

      expect(next.printed).not.toContain('Watching again');
      expect(fleet.app.pid).not.toBe(process.pid);
      expect(pids().every(isAlive)).toBe(true);
    },
  );

  it('given kill -9 of supervisor and app, and an app that cannot start, leaves the replicas serving', async () => {
    const run = await start();
    const [app = 0, one, two] = pids();
    [run.pid, app].forEach(kill);
    await run.exited;
    await eventually(() => expect(isAlive(app)).toBe(false));
    writeFileSync(join(fleet.data, 'broken'), '');

    const { code, printed } = await fleet.run('start').toEnd();

    expect(code).toBe(1);
    expect(printed).toContain('data-corrupt: ');
    expect([one!, two!].map(isAlive)).toEqual([true, true]);
  });

  it('given a replica whose log or lock is unusable, runs without it and reports why', async () => {
    mkdirSync(join(fleet.data, 'logs/replica-1.log'), { recursive: true });
    mkdirSync(join(fleet.directoryOf(second!), 'lock.db'), { recursive: true });

    const run = await start();

    expect(run.printed).toMatch(/Replica 1\s+│ NOT RUNNING: directory-unusable: .*replica-1\.log/);
    expect(run.printed).toMatch(/Replica 2\s+│ NOT RUNNING/);
    expect(isAlive(fleet.app.pid)).toBe(true);
  });

  it('given a data directory that is moved while it runs, starts nothing in its place', async () => {
    const run = await start();
    const { pid } = fleet.app;
    renameSync(fleet.data, `${fleet.data}-moved`);
    kill(pid);

    expect(await run.exited).toBe(1);
    expect(run.printed).toContain(
      `recovery-needed: ${join(fleet.data, SUPERVISOR_LOCK)} was removed or replaced while it was in use`,
    );
    expect(existsSync(join(fleet.data, 'app.json'))).toBe(false);
    renameSync(`${fleet.data}-moved`, fleet.data);
  });

  it('given that the directory of all replicas is removed while it runs, brings the app back all the same', async () => {
    const run = await start();
    const { pid } = fleet.app;
    rmSync(join(fleet.directoryOf(first!), '..'), { recursive: true });
    kill(pid);

    await run.prints(/The app is back at/);
    expect(fleet.app.pid).not.toBe(pid);
  });

  it('given that the note of the supervisor is deleted, npm stop ends all processes', async () => {
    const run = await start();
    const running = pids();
    rmSync(join(fleet.data, 'supervisor.json'));

    expect(await fleet.run('stop').toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });
    expect(await run.exited).toBe(0);
    expect(running.filter(isAlive)).toEqual([]);
  });

  it('given a supervisor that no note names, npm stop does not say that it is stopped', async () => {
    mkdirSync(fleet.data, { recursive: true });
    const lock = DataDirectoryLock.acquire(fleet.data, SUPERVISOR_LOCK);

    const { code, printed } = await fleet.run('stop').toEnd();
    lock.release();

    expect(code).toBe(1);
    expect(printed).toContain(`${join(fleet.data, 'supervisor.json')} does not say which process it is`);
  });

  it('given kill -9 of the supervisor, npm stop ends all processes, the app first', async () => {
    const run = await start();
    const running = pids();
    kill(run.pid);
    await run.exited;

    expect(await fleet.run('stop').toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });

    expect(running.filter(isAlive)).toEqual([]);
    expect(fleet.history.slice(0, 2)).toEqual(['app stops', 'app stopped']);
  });

  it('given a hung replica without a supervisor, names it and kills it only with --force', async () => {
    const run = await start();
    const [app = 0, one = 0] = pids();
    [run.pid, app].forEach(kill);
    await run.exited;
    process.kill(one, 'SIGSTOP');

    const polite = await fleet.run('stop').toEnd();
    expect(polite).toEqual({ code: 1, printed: expect.stringContaining(`The replica (pid ${one})`) });
    expect(isAlive(one)).toBe(true);
    expect((await fleet.run('stop', { args: ['--force'] }).toEnd()).code).toBe(0);
    await eventually(() => expect(isAlive(one)).toBe(false));
  });

  it('given another data directory with the same replicas, is refused, and npm stop there leaves them alone', async () => {
    await start();
    const elsewhere = { DATA_DIR: join(root, 'other') };

    const { code, printed } = await fleet.run('start', elsewhere).toEnd();

    expect(code).toBe(1);
    expect(printed).toMatch(/^data-directory-locked: another "npm start" has its replicas in .*REPLICAS_DIR.*\n$/);
    expect(await fleet.run('stop', elsewhere).toEnd()).toEqual({ code: 0, printed: 'Not running.\n' });
    expect(pids().every(isAlive)).toBe(true);
  });
});
