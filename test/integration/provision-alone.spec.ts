import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';

/** Notes when it begins and ends, between which it waits until there is a file named `go`. */
const SCRIPT = `
import { appendFileSync, existsSync } from 'node:fs';
import { alone } from ${JSON.stringify(pathToFileURL(resolve('scripts/alone.mjs')).href)};
alone('locks/at-work', () => {
  appendFileSync('log', 'begin ' + process.pid + '\\n');
  while (!existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  appendFileSync('log', 'end ' + process.pid + '\\n');
});
`;

describe('commands that install or build at the same time', () => {
  let directory: string;
  let children: ChildProcess[];

  beforeEach(() => {
    directory = temporaryDirectory();
    children = [];
    writeFileSync(join(directory, 'script.mjs'), SCRIPT);
    writeFileSync(join(directory, 'log'), '');
  });

  afterEach(() => {
    children.forEach((child) => child.kill('SIGKILL'));
    removeDirectory(directory);
  });

  function begin(): { readonly child: ChildProcess; readonly ended: Promise<string> } {
    const child = spawn(process.execPath, ['script.mjs'], { cwd: directory });
    children.push(child);
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    return {
      child,
      ended: new Promise((settle) => {
        child.once('close', () => {
          settle(out);
        });
      }),
    };
  }

  const lines = (): string[] =>
    readFileSync(join(directory, 'log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');

  it('run one after the other, and the waiting ones name the one they wait for', async () => {
    const first = begin();
    await eventually(() => expect(lines()).toHaveLength(1));
    const others = [1, 2, 3, 4].map(begin);
    const waiting = `Waiting for another command (pid ${String(first.child.pid)}) that installs or builds ...\n`;
    let printed = '';
    others.forEach(({ child }) => child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString())));
    await eventually(() => expect(printed).toBe(waiting.repeat(4)));
    writeFileSync(join(directory, 'go'), '');
    await Promise.all([first, ...others].map(({ ended }) => ended));

    const pairs = lines().map((line) => line.split(' '));
    expect(pairs.map(([what]) => what)).toEqual(Array.from({ length: 5 }, () => ['begin', 'end']).flat());
    expect(pairs.every(([, pid], place) => place % 2 === 0 || pid === pairs[place - 1]?.[1])).toBe(true);
    expect(readdirSync(join(directory, 'locks'))).toEqual([]);
  });

  it('given a killed command, no longer wait for it', async () => {
    const first = begin();
    await eventually(() => expect(lines()).toHaveLength(1));
    first.child.kill('SIGKILL');
    await first.ended;
    writeFileSync(join(directory, 'go'), '');
    const ended = await Promise.all([1, 2, 3].map(begin).map((each) => each.ended));

    expect(ended.filter((printed) => printed.includes(`pid ${String(first.child.pid)}`))).toEqual([]);
    expect(lines().map((line) => line.split(' ')[0])).toEqual([
      'begin',
      ...['begin', 'end', 'begin', 'end'],
      ...['begin', 'end'],
    ]);
    expect(readdirSync(join(directory, 'locks'))).toEqual([]);
  });

  it('given the note of a dead command whose pid another process has now, do not wait', async () => {
    mkdirSync(join(directory, 'locks'));
    writeFileSync(join(directory, 'locks/at-work'), `${String(process.pid)} 1`);
    writeFileSync(join(directory, 'go'), '');

    expect(await begin().ended).toBe('');
    expect(lines()).toHaveLength(2);
  });

  it('given a command that starts others as part of its work, let them run without waiting', async () => {
    const inner = `alone('locks/at-work', () => console.log('inner'));`;
    const outer = SCRIPT.replace('{ alone }', '{ alone, environmentOf }').split('alone(')[0]!;
    writeFileSync(join(directory, 'inner.mjs'), `${outer}${inner}`);
    const starts = `spawnSync(process.execPath, ['inner.mjs'], { stdio: 'inherit', env: environmentOf('locks/at-work') })`;
    const script = `import { spawnSync } from 'node:child_process';${outer}alone('locks/at-work', () => ${starts});`;
    writeFileSync(join(directory, 'script.mjs'), script);

    expect(await begin().ended).toBe('inner\n');
  });
});
