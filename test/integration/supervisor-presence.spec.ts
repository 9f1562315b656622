import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileLayoutOf, isAlive, presenceOf } from '../../src/platform/nodes/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';

const directory = temporaryDirectory();
const { runFile } = fileLayoutOf({ dataDirectory: directory, replicasDirectory: directory }).app;
const children: ChildProcess[] = [];
const servers: Server[] = [];

afterEach(async () => {
  servers.splice(0).forEach((server) => {
    server.closeAllConnections();
    server.close();
  });
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  removeDirectory(directory);
  mkdirSync(directory);
});

/** A process that does nothing, whose command line is that of `node <path>`. */
async function idleProcess(path: string): Promise<number> {
  const program = join(directory, path);
  mkdirSync(join(program, '..'), { recursive: true });
  writeFileSync(program, "process.stdout.write('up'); setInterval(() => {}, 1000);");
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid!;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address of a server that says at every path that it is the process `pid`. */
function serveAs(pid: unknown): Promise<string> {
  return serve((_request, response) => response.end(JSON.stringify({ status: 'ok', pid })));
}

function note(content: unknown): void {
  writeFileSync(runFile.path, typeof content === 'string' ? content : JSON.stringify(content));
}

const look = (): ReturnType<typeof presenceOf> => presenceOf(runFile);

describe('the presence of the process in a run file', () => {
  it('given no file, is gone', async () => {
    expect(await look()).toEqual({ state: 'gone' });
  });

  it.each([
    '',
    'no JSON',
    '[]',
    'null',
    '{"pid":"1","url":"http://127.0.0.1:1"}',
    '{"pid":0,"url":"http://127.0.0.1:1"}',
  ])('given the content "%s", is gone', async (content) => {
    note(content);
    expect(await look()).toEqual({ state: 'gone' });
  });

  it('given a process that answers with its own pid, is running there', async () => {
    const url = await serveAs(process.pid);
    note({ pid: process.pid, url });

    expect(await look()).toEqual({ state: 'answers', pid: process.pid, url });
  });

  it('given a pid that another program has now, is gone, whatever answers at the address', async () => {
    const pid = await idleProcess('elsewhere/other.mjs');
    for (const url of [await serveAs(pid + 1), await serveAs('text'), 'http://127.0.0.1:1']) {
      note({ pid, url });
      expect(await look()).toEqual({ state: 'gone' });
    }
  });

  it('given a process that answers with its own pid but started at another time, is gone', async () => {
    const url = await serveAs(process.pid);
    note({ pid: process.pid, url, start: 'another' });

    expect(await look()).toEqual({ state: 'gone' });
  });

  it('given a process of our program that refuses, answers nonsense or does not answer, is silent', async () => {
    const pid = await idleProcess('bundle/api.mjs');
    const nonsense = await serve((_request, response) => response.end('<html>'));
    const mute = await serve(() => undefined);
    for (const url of ['http://127.0.0.1:1', nonsense, mute]) {
      note({ pid, url });
      expect(await look()).toEqual({ state: 'silent', pid });
    }
  });

  it('given a killed process that its parent has not yet collected, is gone', async () => {
    // The shell starts a child, becomes a program that never collects it, and lives on.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(parent);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    await eventually(() => expect(isAlive(pid)).toBe(true));
    process.kill(pid, 'SIGKILL');

    await eventually(() => expect(isAlive(pid)).toBe(false));
  });
});
