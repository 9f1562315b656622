import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';

interface End {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** Programs of others answer `--help` themselves. */
const OF_OTHERS = /scripts\/(?:tool|import-rules)\.mjs/;
/** Hands what it does not know to Jest. */
const OF_JEST = /scripts\/test\.mjs/;
const commands = Object.entries(scripts)
  .filter(([, command]) => !OF_OTHERS.test(command))
  .map(([name, command]): [string, string] => [name, command]);

describe('the command line of', () => {
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(() => {
    removeDirectory(directory);
  });

  /** As npm does it, in a directory without `.env` for programs that stay there. */
  const run = (command: string, args: readonly string[], cwd = process.cwd()): Promise<End> => {
    const [, script = '', ...fixed] = command.split(' ');
    const child = spawn(process.execPath, [resolve(script), ...fixed, ...args], {
      env: { PATH: process.env['PATH'], DATA_DIR: directory, REPLICAS_DIR: join(directory, 'replicas') },
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd,
    });
    let out = '';
    let error = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
    return new Promise((settle) => {
      child.once('close', (code) => {
        settle({ code, out, error });
      });
    });
  };

  it.each(commands)(
    'npm run %s, given --help, prints its usage and options and does nothing else',
    async (_, command) => {
      const { code, out } = await run(command, ['--help']);

      expect(code).toBe(0);
      expect(out).toMatch(/^Usage: npm /m);
      expect(out).toContain('-h, --help');
      expect(out.trimEnd().split('\n').length).toBeLessThan(60);
    },
  );

  it.each(commands.filter(([, command]) => !OF_JEST.test(command)))(
    'npm run %s, given an unknown option, refuses it on one line',
    async (_, command) => {
      const { code, error } = await run(command, ['--no-such-option']);

      expect(code).toBeGreaterThan(0);
      expect(error).toMatch(/^Unknown option '--no-such-option'\. "npm .* -- --help" shows how to use it\.\n$/);
    },
  );

  it.each(['data:accept-loss', 'transactions:accept', 'sagas:accept'])(
    'npm run %s, given no reason, asks for one',
    async (name) => {
      const { code, error } = await run(scripts[name] ?? '', []);

      expect([code, error.trim().split('\n').length]).toEqual([2, 1]);
      expect(error).toContain(`npm run ${name} -- --reason "..."`);
    },
  );

  it('npm run start:replica, given no port, asks for one', async () => {
    const { code, error } = await run(scripts['start:replica'] ?? '', []);

    expect([code, error.trim().split('\n').length]).toEqual([1, 1]);
    expect(error).toContain('npm run start:replica -- --port 5071');
  });

  it('npm run start:app -- --reader, given no port, asks for one', async () => {
    const { code, error } = await run(scripts['start:app'] ?? '', ['--reader']);

    expect([code, error.trim().split('\n').length]).toEqual([1, 1]);
    expect(error).toContain('npm run start:app -- --reader --port 5051');
  });

  it('npm run status, given a .env with a misspelt setting, names the right one on one line', async () => {
    writeFileSync(join(directory, '.env'), 'WRITECONCERN=primary\n');
    const { code, error } = await run('node dist/bundle/cli.mjs', ['status'], directory);

    expect([code, error]).toEqual([1, 'misconfigured: .env: WRITECONCERN is not a setting, use WRITE_CONCERN\n']);
  });
});
