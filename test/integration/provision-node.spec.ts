import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { NodeRegistry } from './node-registry.js';

interface NodePackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly errors: readonly string[];
}

interface Manifest {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
}

const OLD = '20.19.5';
const PLATFORM = 'a-platform';
const { NODE_PACKAGES, fitsEngines } = (await import(pathToFileURL(resolve('scripts/provision-node.mjs')).href)) as {
  NODE_PACKAGES: Readonly<Record<string, NodePackage>>;
  fitsEngines: (version: string, engines: string) => boolean;
};
const { engines, scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

/** A script of ours that an old Node starts: it tells what it was begun with, then waits, or does what it is told. */
const SCRIPT = `
import { ensureNode, orExplain } from ${JSON.stringify(pathToFileURL(resolve('scripts/provision.mjs')).href)};
const { folder, packages, platform, old } = JSON.parse(process.env.TEST);
const isFetched = process.env.NODE?.startsWith(folder) ?? false;
await orExplain(() => ensureNode({ version: isFetched ? process.versions.node : old, packages, platform, folder }));
const [how, ...rest] = process.argv.slice(2);
console.log(JSON.stringify({ isFetched, rest, firstOnPath: process.env.PATH.split(':')[0], pid: process.pid }));
if (how === 'exit') process.exit(Number(rest[0]));
if (how === 'echo') process.stdin.pipe(process.stdout);
if (how === 'die') process.kill(process.pid, 'SIGKILL');
if (how === 'wait') {
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => console.log('got ' + signal));
  setInterval(() => undefined, 1000);
}
`;

/** With npm, if it runs. */
function killGroupOf({ pid = 0 }: ChildProcess): void {
  process.kill(-pid, 'SIGKILL');
}

describe('a script started with a Node version that is too old', () => {
  let registry: NodeRegistry;
  let directory: string;
  let folder: string;
  let children: ChildProcess[];

  beforeEach(async () => {
    registry = await NodeRegistry.open();
    directory = temporaryDirectory();
    folder = join(directory, 'nodes');
    children = [];
    writeFileSync(join(directory, 'script.mjs'), SCRIPT);
  });

  afterEach(() => {
    children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).forEach(killGroupOf);
    registry.close();
    removeDirectory(directory);
  });

  const placeOf = ({ name, version }: NodePackage): string => join(folder, `${name}-${version}`);

  function begin(args: readonly string[], given: Readonly<Record<string, unknown>> = {}): ChildProcess {
    const { environment = {}, ...options } = given;
    const test = { folder, packages: { [PLATFORM]: registry.wanted }, platform: PLATFORM, old: OLD, ...options };
    const child = spawn(process.execPath, [join(directory, 'script.mjs'), ...args], {
      cwd: directory,
      detached: true,
      env: {
        ...{ PATH: process.env['PATH'], HOME: directory, TEST: JSON.stringify(test) },
        ...{ npm_config_registry: registry.url, npm_config_cache: join(directory, 'npm-cache') },
        ...(environment as Record<string, string>),
      },
    });
    children.push(child);
    return child;
  }

  function endOf(child: ChildProcess): Promise<Ended> {
    let out = '';
    let errors = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    return new Promise((settle) => {
      child.once('close', (code, signal) => {
        settle({ code, signal, out, errors: errors.split('\n').filter((line) => line !== '') });
      });
    });
  }

  const run = (args: readonly string[], given = {}): Promise<Ended> => endOf(begin(args, given));

  it('reports in one line that it fetches another, and restarts on it with the same arguments, input and exit code', async () => {
    const child = begin(['echo', 'a b', '--flag']);
    const ended = endOf(child);
    child.stdin?.end('what was typed');
    const { code, out, errors } = await ended;
    const [first = '', rest] = out.split('\n');

    expect(code).toBe(0);
    expect(errors).toEqual([expect.stringMatching(`^This is Node ${OLD}: fetching Node ${registry.version} from`)]);
    expect(JSON.parse(first)).toMatchObject({ isFetched: true, rest: ['a b', '--flag'] });
    expect((JSON.parse(first) as { firstOnPath: string }).firstOnPath).toBe(join(placeOf(registry.wanted), 'bin'));
    expect(rest).toBe('what was typed');
    expect(readdirSync(folder)).toEqual([`${registry.wanted.name}-${registry.version}`]);
  });

  it('given a Node that was fetched before, uses it without a message', async () => {
    await run(['exit', '0']);
    registry.close();

    expect(await run(['exit', '7'])).toMatchObject({ code: 7, signal: null, errors: [] });
    expect(registry.tarballsSent).toBe(1);
  });

  it('passes each signal on once, and ends by the signal that ends the program', async () => {
    await run(['exit', '0']);
    const child = begin(['wait']);
    const ended = endOf(child);
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await eventually(() => expect(out).toContain('isFetched'));
    child.kill('SIGINT');
    await eventually(() => expect(out).toContain('got SIGINT'));
    child.kill('SIGHUP');
    await eventually(() => expect(out).toContain('got SIGHUP'));
    child.kill('SIGTERM');

    expect(await ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(out.match(/got/g)).toHaveLength(2);
    expect(await run(['die'])).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it('given several starts at once, starts each time and leaves one Node and nothing else', async () => {
    const ended = await Promise.all([1, 2, 3].map(() => run(['exit', '3'])));

    expect(ended.map(({ code }) => code)).toEqual([3, 3, 3]);
    expect(readdirSync(folder)).toEqual([`${registry.wanted.name}-${registry.version}`]);
  });

  it('given kill -9 during the fetch, leaves nothing that counts as a Node, and the next start removes the rest', async () => {
    registry.isStuck = true;
    const child = begin(['exit', '0']);
    const ended = endOf(child);
    await eventually(() => expect(registry.tarballsSent).toBe(1));
    killGroupOf(child);
    await ended;
    const left = readdirSync(folder);
    registry.isStuck = false;

    expect([left.length, existsSync(placeOf(registry.wanted))]).toEqual([1, false]);
    expect(await run(['exit', '4'])).toMatchObject({ code: 4 });
    expect(readdirSync(folder)).toEqual([`${registry.wanted.name}-${registry.version}`]);
  });

  it('given an incomplete Node, fetches it again', async () => {
    mkdirSync(join(placeOf(registry.wanted), 'bin'), { recursive: true });
    writeFileSync(join(placeOf(registry.wanted), 'bin/node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });

    expect(await run(['exit', '5'])).toMatchObject({ code: 5 });
  });

  const refusal = (why: string): Partial<Ended> => ({
    code: 1,
    out: '',
    errors: expect.arrayContaining([
      `Bifolio needs Node ${engines.node}, but this is ${OLD}, and ${why}: install Node 22 or later.`,
    ]) as unknown as string[],
  });

  it('given an unreachable registry, says in one line what to install', async () => {
    registry.close();
    const ended = await run(['exit', '0'], { environment: { npm_config_fetch_retries: '0' } });

    expect(ended).toMatchObject(
      refusal(`npm could not download ${registry.wanted.name}@${registry.version} (ECONNREFUSED)`),
    );
    expect([ended.errors.length, readdirSync(folder)]).toEqual([2, []]);
  });

  it('given no network, says so too', async () => {
    expect(await run(['exit', '0'], { environment: { npm_config_offline: 'true' } })).toMatchObject(
      refusal(`npm could not download ${registry.wanted.name}@${registry.version} (ENOTCACHED)`),
    );
  });

  it('given a package with another checksum, refuses it', async () => {
    const integrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
    const packages = { [PLATFORM]: { ...registry.wanted, integrity } };

    expect(await run(['exit', '0'], { packages })).toMatchObject(
      refusal(`npm could not download ${registry.wanted.name}@${registry.version} (EINTEGRITY)`),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('given no npm, says so', async () => {
    const { code, errors } = await run(['exit', '0'], { environment: { PATH: directory } });

    expect([code, errors.at(-1)]).toEqual([1, expect.stringMatching(/ENOENT.*: install Node 22 or later\.$/)]);
  });

  it('given a platform without a package, says in one line what to install', async () => {
    expect(await run(['exit', '0'], { platform: 'vax-x64' })).toMatchObject({
      ...refusal('the npm registry has no Node for vax-x64'),
    });
  });
});

describe('the Node that is fetched', () => {
  it.each(Object.entries(NODE_PACKAGES))('for %s, is a supported version, by its checksum', (_, wanted) => {
    expect([fitsEngines(wanted.version, engines.node), wanted.integrity]).toEqual([
      true,
      expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/),
    ]);
  });

  it('is the version of the Docker image', () => {
    const images = readFileSync('Dockerfile', 'utf8').match(/(?<=^FROM node:)[\d.]+/gm);

    expect(new Set(images)).toEqual(new Set([NODE_PACKAGES['linux-x64']?.version]));
  });

  it.each([
    ['20.20.2', false],
    ['22.13.1', false],
    ['22.14.0', true],
    ['23.11.0', false],
    ['24.0.0', true],
    ['26.12.1', true],
    ['127.0.0', true],
  ])('is not needed by %s: %s', (version, fits) => {
    expect(fitsEngines(version, engines.node)).toBe(fits);
  });

  it.each(Object.entries(scripts))('is what "npm run %s" runs on', (_, command) => {
    const file = /^node (scripts\/[\w-]+\.mjs)(?: |$)/.exec(command)?.[1] ?? '';

    expect(readFileSync(file, 'utf8')).toContain('await ensureNode()');
  });
});
