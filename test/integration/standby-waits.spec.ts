import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from '../e2e/support/client.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import type { ServerProcess } from '../support/server-process.js';
import { StandbyProcess } from '../support/standby-process.js';

const BOOK = { title: 'Waiting', author: 'Beckett', price: 9.99, quantity: 3 };

describe('a standby', () => {
  let directory: string;
  let started: ServerProcess[];

  beforeEach(() => {
    directory = temporaryDirectory();
    started = [];
  });

  afterEach(async () => {
    for (const one of started) await one.kill();
    removeDirectory(directory);
  });

  const active = async (environment: Readonly<Record<string, string>> = {}): Promise<AppProcess> => {
    const app = await AppProcess.start(directory, environment);
    started.push(app);
    return app;
  };
  const standby = async (environment: Readonly<Record<string, string>> = {}): Promise<StandbyProcess> => {
    const one = await StandbyProcess.start(directory, environment);
    started.push(one);
    return one;
  };
  const echo = async (url: string): Promise<unknown> => (await new Client(url).get('/health/echo')).json();

  it('given an active app, waits: it echoes, serves health and metrics, and no data', async () => {
    const app = await active();
    const waiting = await standby();
    const client = new Client(waiting.url);

    expect(await echo(waiting.url)).toEqual({ pid: waiting.pid, role: 'standby', state: 'waiting', epoch: null });
    expect((await client.get('/health/live')).json()).toEqual({ status: 'ok', pid: waiting.pid });
    expect((await client.get('/health/ready')).json()).toMatchObject({ status: 'ok' });
    expect((await client.get('/metrics')).text).toContain('process_resident_memory_bytes');
    expect((await client.get('/')).json()).toMatchObject({ name: 'Bifolio standby' });
    (await client.get('/books')).problem(404);
    (await client.post('/books', BOOK)).problem(404);
    expect(await echo(app.url)).toMatchObject({ role: 'active', state: 'open', epoch: 1 });
  });

  it('given no other app, is the active one at once, without a port of its own as a standby', async () => {
    const one = StandbyProcess.spawn(directory);
    started.push(one);

    expect(await echo(await one.promoted())).toMatchObject({ pid: one.pid, role: 'active' });
    expect(existsSync(join(directory, 'standby.json'))).toBe(false);
  });

  it('given SIGTERM while it waits, stops cleanly, and the active app goes on', async () => {
    const app = await active();
    const waiting = await standby();

    expect(await waiting.stop()).toEqual({ code: 0, signal: null });
    expect(existsSync(join(directory, 'standby.json'))).toBe(false);
    expect((await new Client(app.url).post('/books', BOOK)).status).toBe(201);
  });

  it('given an active app that is stopped by SIGSTOP, waits for as long as that lives', async () => {
    const app = await active();
    const waiting = await standby();
    process.kill(app.pid, 'SIGSTOP');
    // Each attempt takes 5 ms.
    for (let asked = 0; asked < 200; asked += 1) {
      expect(await echo(waiting.url)).toMatchObject({ role: 'standby', state: 'waiting' });
    }
    await app.kill();

    expect(await echo(await waiting.promoted())).toMatchObject({ pid: waiting.pid, epoch: 2 });
  });

  it.each([
    ['killed', (app: AppProcess) => app.kill()],
    ['stopped cleanly', (app: AppProcess) => app.stop()],
  ])('given an active app that is %s, takes over its port with the next epoch, and leaves its own', async (_, end) => {
    const [port, standbyPort] = [String(await freePort()), String(await freePort())];
    const app = await active({ PORT: port });
    const book = (await new Client(app.url).post('/books', BOOK)).json();
    const ports = { PORT: port, STANDBY_PORT: standbyPort };
    const waiting = await standby(ports);
    await end(app);

    expect(await waiting.promoted()).toBe(app.url);
    expect(await echo(app.url)).toEqual({ pid: waiting.pid, role: 'active', state: 'open', epoch: 2 });
    await eventually(() => {
      expect(waiting.printed).toMatch(/took over in \d+ ms: lock \d+ ms, .*documents \d+ ms, .*port \d+ ms/);
    });
    expect((await new Client(app.url).get('/books/1')).json()).toEqual(book);
    const next = await standby(ports);
    expect(next.url).toBe(`http://127.0.0.1:${standbyPort}`);
    expect(await echo(next.url)).toMatchObject({ pid: next.pid, role: 'standby' });
  });

  it('given two of them, one takes over and the other goes on waiting', async () => {
    const app = await active();
    const both = [await standby(), await standby()];
    const urls = both.map(({ url }) => url);
    await app.kill();

    const first = await Promise.any(both.map((one) => one.promoted().then(() => one)));
    const other = both.indexOf(first) === 0 ? 1 : 0;
    expect(await echo(urls[other]!)).toMatchObject({ pid: both[other]!.pid, state: 'waiting' });
    await first.kill();
    expect(await echo(await both[other]!.promoted())).toMatchObject({ pid: both[other]!.pid, epoch: 3 });
  });

  it('given a data directory that is replaced by a copy, ends, and does not run on either', async () => {
    await active();
    const waiting = await standby();
    renameSync(directory, `${directory}-away`);
    cpSync(`${directory}-away`, directory, { recursive: true });

    expect(await waiting.exited).toEqual({ code: 70, signal: null });
    expect(waiting.printed).toContain('was removed or replaced while this standby waited');
    removeDirectory(`${directory}-away`);
  });

  it('given a port that another program keeps, takes over without it all the same', async () => {
    const app = await active();
    const other = createServer();
    const port = await freePort();
    await new Promise<void>((listening) => other.listen(port, '127.0.0.1', listening));
    const waiting = StandbyProcess.spawn(directory, { STANDBY_PORT: String(port) });
    started.push(waiting);
    await app.kill();

    await waiting.promoted();
    await new Promise((closed) => other.close(closed));
  });

  it('given a port that another program keeps for longer, ends with one line that names it and says what to do', async () => {
    await active();
    const other = createServer();
    const port = await freePort();
    await new Promise<void>((listening) => other.listen(port, '127.0.0.1', listening));
    const refused = StandbyProcess.spawn(directory, { STANDBY_PORT: String(port), LOG_LEVEL: 'silent' });
    started.push(refused);

    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.printed).toBe(
      `port-taken: port ${String(port)} is in use by another program: stop that program, or set STANDBY_PORT to a free one\n`,
    );
    await new Promise((closed) => other.close(closed));
  });

  it.each([
    ['off', {}, 'STANDBY_PORT is off, but --standby needs a port'],
    ['25100', { PORT: '25100' }, 'STANDBY_PORT must not be 25100, which is PORT'],
  ])('given STANDBY_PORT=%s, does not start, and says why', async (port, environment, why) => {
    const refused = StandbyProcess.spawn(directory, { ...environment, STANDBY_PORT: port });

    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.printed).toContain(`misconfigured: ${why}`);
  });

  it('given 10,000 requests after it took over, still holds the directory', async () => {
    const app = await active();
    const waiting = await standby();
    await app.kill();
    const url = await waiting.promoted();
    const client = new Client(url);
    for (let sent = 0; sent < 10_000; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => client.get('/health/live')));
    }
    const another = AppProcess.spawn(directory);
    started.push(another);
    await another.exited;

    expect(another.printed).toContain('data-directory-locked');
    await eventually(async () => {
      expect(await echo(url)).toMatchObject({ pid: waiting.pid, state: 'open' });
    });
  });
});
