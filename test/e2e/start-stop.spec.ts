import { afterEach, describe, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReaderProcess } from '../support/reader-process.js';
import { freePorts } from '../support/stand-in-fleet.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

interface Person {
  readonly id: number;
  readonly name: string;
}

const READY = /To stop/;
const directories: string[] = [];
const servers: Server[] = [];

function newDirectory(): string {
  const directory = temporaryDirectory();
  directories.push(directory);
  return directory;
}

afterEach(async () => {
  servers.splice(0).forEach((server) => server.close());
  for (const directory of directories.splice(0)) {
    // However a test ended, nothing of it goes on.
    const stopped = await runToEnd('stop', directory, { args: ['--force'] });
    removeDirectory(directory);
    expect(stopped.code).toBe(0);
  }
});

async function start(directory: string, environment: Readonly<Record<string, string>> = {}): Promise<StartProcess> {
  const started = new StartProcess('start', directory, environment);
  await started.prints(READY);
  return started;
}

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function goneAtLast(pid: number): Promise<void> {
  return eventually(() => expect(isAlive(pid)).toBe(false), { withinMs: 20_000 });
}

/** A port of this machine that another program listens on. */
async function takenPort(): Promise<string> {
  const server = createServer((_request, response) => response.end('not Bifolio'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return String((server.address() as AddressInfo).port);
}

describe('npm start', () => {
  it('given a new data directory, prints one table of working addresses and writes the log file', async () => {
    const directory = newDirectory();
    const started = await start(directory);

    const [, api = ''] = /API\s+│ (\S+)/.exec(started.printed) ?? [];
    expect(started.app.url).toBe(api);
    const addresses = [...new Set(started.printed.match(/http:\/\/\S+/g))];
    expect(addresses.length).toBeGreaterThanOrEqual(6);
    for (const address of addresses) expect((await fetch(address)).status).toBe(200);
    expect(started.printed).toContain(join(directory, 'logs/app.log'));
    await eventually(() => expect(readFileSync(join(directory, 'logs/app.log'), 'utf8')).toContain('ready'));
  });

  it('given a running Bifolio, reports that it is already running and where, and exits with 0', async () => {
    const directory = newDirectory();
    const { app } = await start(directory);

    const second = await runToEnd('start', directory);

    expect(second).toEqual({ code: 0, printed: expect.stringContaining('already running') });
    expect(second.printed).toContain(app.url);
    expect(second.printed).toContain(`pid ${app.pid}`);
    expect(second.printed).toContain('npm stop');
  });

  it('given two starts at the same moment, starts one app; the other start reports that it is already running', async () => {
    const directory = newDirectory();
    const both = [new StartProcess('start', directory), new StartProcess('start', directory)];

    const loser = await Promise.race(both.map((one) => one.exited.then(() => one)));

    expect(loser.printed).toContain('already running');
    expect(await loser.exited).toEqual({ code: 0, signal: null });
    const winner = both.find((one) => one !== loser)!;
    await winner.prints(READY);
    expect(loser.printed).toContain(`pid ${winner.app.pid}`);
  });

  it('given a port in use, names it in one line, exits with failure and leaves nothing running', async () => {
    const directory = newDirectory();
    const port = await takenPort();

    const { code, printed } = await runToEnd('start', directory, { PORT: port });

    expect(code).toBe(1);
    expect(printed).toMatch(new RegExp(`^port-taken: port ${port} is in use by another program: .*\n$`));
    expect(await runToEnd('stop', directory)).toEqual({ code: 0, printed: 'Not running.\n' });
  });

  it.each([
    [{ PORT: 'abc' }, /^misconfigured: PORT .*\n$/],
    [{ HOST: '0.0.0.0' }, /^misconfigured: API_KEYS must be set to listen on 0\.0\.0\.0.*\n$/],
  ])('given the wrong setting %j, reports it in one line and exits with failure', async (environment, line) => {
    const { code, printed } = await runToEnd('start', newDirectory(), environment);

    expect(code).toBe(1);
    expect(printed).toMatch(line);
  });

  it('given a corrupt store, names the file in one line and exits with failure', async () => {
    const directory = newDirectory();
    writeFileSync(join(directory, 'bookstore.db'), 'this is no database, but a long enough text to look at'.repeat(20));

    const { code, printed } = await runToEnd('start', directory);

    expect(code).toBe(1);
    expect(printed).toMatch(
      /^data-corrupt: .*bookstore\.db: file is not a database \[.*DATA_DIR from the environment\]\n$/,
    );
  });

  it.each(['lock.db', 'supervisor-lock.db'])('given a damaged %s, names the file and says what to do', async (name) => {
    const directory = newDirectory();
    writeFileSync(join(directory, name), 'this is no database, but a long enough text to look at'.repeat(20));

    const { code, printed } = await runToEnd('start', directory);

    expect(code).toBe(1);
    expect(printed).toContain(
      `data-corrupt: ${join(directory, name)}: file is not a database; it holds only the lock, no data`,
    );
    expect(printed.trim().split('\n')).toHaveLength(1);
  });

  it('given a file in place of the data directory, names it and the setting in one line', async () => {
    const directory = newDirectory();
    const file = join(directory, 'a-file');
    writeFileSync(file, '');

    const { code, printed } = await runToEnd('start', file);

    expect(code).toBe(1);
    expect(printed).toMatch(/^directory-unusable: .*a-file.*DATA_DIR from the environment\]\n$/);
    rmSync(file);
  });

  it('given one replica with an unusable directory, runs the others and reports the problem', async () => {
    const directory = newDirectory();
    const [good, other, bad] = await freePorts(3);
    const replicas = join(directory, 'replicas');
    mkdirSync(replicas);
    writeFileSync(join(replicas, String(bad)), 'a file where the directory should be');

    const started = await start(directory, { REPLICA_PORTS: `${good},${other},${bad}` });

    expect(started.printed).toMatch(new RegExp(`Warning: cannot write a copy of the cluster secret to .*/${bad}: `));
    expect(started.printed).toMatch(new RegExp(`NOT RUNNING: directory-unusable: .*/${bad}`));
    expect((await fetch(`http://127.0.0.1:${good}/customers`)).status).toBe(200);
    expect((await fetch(`${started.app.url}/health/live`)).status).toBe(200);
  });

  it('given data that an earlier version left readable for others, makes it private', async () => {
    const directory = newDirectory();
    chmodSync(directory, 0o755);

    await start(directory);

    for (const path of ['.', 'logs', 'documents']) expect(statSync(join(directory, path)).mode & 0o077).toBe(0);
  });

  it('given API keys, becomes ready', async () => {
    const { app } = await start(newDirectory(), { API_KEYS: 'reader:read:0123456789abcdef' });

    expect((await fetch(`${app.url}/books`)).status).toBe(401);
  });

  it('given a new data directory, seeds two books and two customers once, and never again even after their deletion', async () => {
    const directory = newDirectory();
    const first = await start(directory);
    for (const path of ['books', 'customers']) {
      const found = await get<Person[]>(`${first.app.url}/${path}`);
      expect(found.map(({ id }) => id)).toEqual([1, 2]);
      for (const { id } of found) await fetch(`${first.app.url}/${path}/${id}`, { method: 'DELETE' });
    }
    await runToEnd('stop', directory);

    const second = await start(directory);
    expect(await get(`${second.app.url}/books`)).toEqual([]);
    expect(await get(`${second.app.url}/customers`)).toEqual([]);
  });
});

describe('a running Bifolio', () => {
  it('given kill -9 of its app, restarts the app with everything that was written', async () => {
    const directory = newDirectory();
    const started = await start(directory);
    const { app } = started;
    const posted = await fetch(`${app.url}/customers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Mary Somerville', email: 'mary@example.org' }),
    });
    expect(posted.status).toBe(201);

    process.kill(app.pid, 'SIGKILL');
    await started.prints(/The app is back at/);

    expect(started.printed).toContain(`(pid ${app.pid}) was ended by SIGKILL`);
    expect(started.app.pid).not.toBe(app.pid);
    const customers = await get<Person[]>(`${started.app.url}/customers`);
    expect(customers.map(({ name }) => name)).toContain('Mary Somerville');
  });

  it('given kill -9 of its supervisor, keeps running, and the next start supervises it again, beside its reader', async () => {
    const directory = newDirectory();
    const started = await start(directory);
    const { app } = started;
    const reader = await ReaderProcess.start(directory);
    process.kill(started.pid, 'SIGKILL');
    await started.exited;

    expect(await get(`${app.url}/health/live`)).toEqual({ status: 'ok', pid: app.pid });
    const next = await start(directory);
    expect(next.printed).toContain(
      `Watching again what an earlier "npm start" left running: The app (pid ${app.pid}).`,
    );
    expect(next.app).toEqual(app);

    process.kill(app.pid, 'SIGKILL');
    await next.prints(/The app is back at/);
    const { pid } = next.app;
    expect((await runToEnd('status', directory)).printed).toContain(`Reader at ${reader.url} (pid ${reader.pid}).`);
    expect(await runToEnd('stop', directory)).toEqual({ code: 0, printed: 'Stopped.\n' });
    expect(isAlive(pid)).toBe(false);
    expect(await reader.exited).toEqual({ code: 0, signal: null });
  });

  it('given an app that was started alone and has died, stops its reader', async () => {
    const directory = newDirectory();
    const app = await AppProcess.start(directory);
    const reader = await ReaderProcess.start(directory);
    await app.kill();
    expect(await runToEnd('stop', directory)).toEqual({ code: 0, printed: 'Stopped.\n' });
    expect(await reader.exited).toEqual({ code: 0, signal: null });
  });

  it.each([true, false])(
    'given npm start with other settings, names each setting that is not in force, reveals no secret, and exits with failure (watched: %s)',
    async (isWatched) => {
      const directory = newDirectory();
      const started = await start(directory, { API_KEYS: 'reader:read:0123456789abcdef' });
      const { app } = started;
      if (!isWatched) {
        process.kill(started.pid, 'SIGKILL');
        await started.exited;
      }

      const nodes = join(directory, 'redis/cluster.json');
      mkdirSync(dirname(nodes), { recursive: true });
      writeFileSync(nodes, '{"nodes":[]}');

      const other = { API_KEYS: 'reader:read:fedcba9876543210', LOG_LEVEL: 'warn', PORT: '6001' };
      const { code, printed } = await runToEnd('start', directory, other);

      expect(code).toBe(1);
      expect(printed).toMatch(/^Bifolio runs at .* with other settings: .*"npm stop" and "npm start".*\n$/);
      expect(printed).toContain('API_KEYS is another one; LOG_LEVEL is info, not warn; PORT is 0, not 6001');
      expect(printed).not.toMatch(/0123456789abcdef|fedcba9876543210/);
      expect(existsSync(nodes)).toBe(true);
      expect(isAlive(app.pid)).toBe(true);
    },
  );

  it.each(['SIGINT', 'SIGTERM'] as const)('given %s, stops its app, then itself, and exits with 0', async (signal) => {
    const directory = newDirectory();
    const started = await start(directory);
    const { app } = started;

    process.kill(started.pid, signal);

    expect(await started.exited).toEqual({ code: 0, signal: null });
    expect(started.printed).toMatch(/Stopped\.\n$/);
    expect(isAlive(app.pid)).toBe(false);
    expect(existsSync(join(directory, 'app.json'))).toBe(false);
  });

  it('given Ctrl-C before it is ready, stops cleanly', async () => {
    const directory = newDirectory();
    const started = new StartProcess('start', directory);
    // It is noted there before its app is started.
    await eventually(() => expect(existsSync(join(directory, 'supervisor.json'))).toBe(true), { withinMs: 30_000 });

    process.kill(started.pid, 'SIGINT');

    expect(await started.exited).toEqual({ code: 0, signal: null });
    expect(started.printed).toMatch(/Stopped\.\n$/);
    expect(await runToEnd('stop', directory)).toEqual({ code: 0, printed: 'Not running.\n' });
  });
});

describe('npm stop', () => {
  it('given a data directory that was never started, reports that Bifolio is not running', async () => {
    expect(await runToEnd('stop', newDirectory())).toEqual({ code: 0, printed: 'Not running.\n' });
  });

  it('given a running Bifolio, stops the supervisor and the app, and returns when both are gone', async () => {
    const directory = newDirectory();
    const started = await start(directory);
    const { app } = started;

    expect(await runToEnd('stop', directory)).toEqual({ code: 0, printed: 'Stopped.\n' });

    expect(isAlive(app.pid)).toBe(false);
    expect(await started.exited).toEqual({ code: 0, signal: null });
    expect(await runToEnd('stop', directory)).toEqual({ code: 0, printed: 'Not running.\n' });
  });

  it('given another setting that is now wrong, still works', async () => {
    const directory = newDirectory();
    await start(directory);

    expect(await runToEnd('stop', directory, { PORT: 'abc' })).toEqual({ code: 0, printed: 'Stopped.\n' });
  });

  it('given a hung app without a supervisor, names it and kills it only with --force', async () => {
    const directory = newDirectory();
    const started = await start(directory);
    const { app } = started;
    process.kill(started.pid, 'SIGKILL');
    await started.exited;
    process.kill(app.pid, 'SIGSTOP');

    const polite = await runToEnd('stop', directory);
    expect(polite.code).toBe(1);
    expect(polite.printed).toContain(`pid ${app.pid}`);
    expect(polite.printed).toContain('npm stop -- --force');
    expect(isAlive(app.pid)).toBe(true);

    const forced = await runToEnd('stop', directory, { args: ['--force'] });
    expect(forced).toEqual({ code: 0, printed: 'Stopped.\n' });
    await goneAtLast(app.pid);
  });

  it('given run files of an earlier incarnation, signals no process that now has one of their pids', async () => {
    const directory = newDirectory();
    const bystander = new StartProcess('start', newDirectory());
    await bystander.prints(READY);
    const url = `http://127.0.0.1:${await takenPort()}`;
    // Both numbers live: one is this test, one an app of another data directory that answers elsewhere.
    writeFileSync(join(directory, 'app.json'), JSON.stringify({ pid: process.pid, url }));
    writeFileSync(join(directory, 'supervisor.json'), JSON.stringify({ pid: process.pid, url: bystander.app.url }));

    const stopped = await runToEnd('stop', directory, { args: ['--force'] });

    expect(stopped).toEqual({ code: 0, printed: 'Not running.\n' });
    expect(isAlive(bystander.app.pid)).toBe(true);
    await start(directory);
  });
});
