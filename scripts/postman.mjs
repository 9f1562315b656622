/**
 * Runs postman-collection/ with newman: `npm run postman`. Against BASE_URL if it is set, else against the app on the
 * default port if one answers there, else against an app of its own on a free port with data it throws away.
 * API_KEY is sent along if it is set.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBuild, ensureDependencies, ensureNode, ProvisionError, ROOT } from './provision.mjs';

const NEWMAN = 'newman@6';
const DEFAULT_URL = `http://127.0.0.1:${process.env.PORT || '5050'}`;
const ANSWER_WITHIN_MS = 2_000;
const START_WITHIN_MS = 60_000;

/** Newman talks to this machine, whatever proxy the rest goes through. */
const ENVIRONMENT = { ...process.env, NO_PROXY: ['127.0.0.1,localhost', process.env.NO_PROXY].filter(Boolean).join() };

function npx(args, stdio) {
  const isWindows = process.platform === 'win32';
  return spawnSync('npx', ['--yes', NEWMAN, ...args], { cwd: ROOT, env: ENVIRONMENT, stdio, shell: isWindows });
}

function ensureNewman() {
  if (npx(['--version'], 'ignore').status === 0) return;
  throw new ProvisionError(`npx cannot fetch ${NEWMAN}, which runs the collection: is the npm registry in reach?`);
}

/** Whether Bifolio, and not some other program, answers there. */
async function answers(url) {
  try {
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return (await response.json()).status === 'ok';
  } catch {
    return false;
  }
}

/** Starts an app, lets `use` have its address, and leaves nothing of it behind. */
async function withOwnApp(use) {
  const directory = mkdtempSync(join(tmpdir(), 'bifolio-postman-'));
  const runFile = join(directory, 'app.json');
  const own = {
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: directory,
    API_KEYS: '',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'error',
  };
  const child = spawn(process.execPath, [join(ROOT, 'dist/bundle/api.mjs')], {
    cwd: directory,
    env: { ...process.env, ...own },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    for (let waitedMs = 0; !existsSync(runFile); waitedMs += 50) {
      if (child.exitCode !== null || waitedMs > START_WITHIN_MS) throw new ProvisionError('The app did not start.');
      await delay(50);
    }
    return use(JSON.parse(readFileSync(runFile, 'utf8')).url);
  } finally {
    child.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Newman's exit code. */
function runCollection(url) {
  console.log(`Running the collection against ${url}`);
  const folder = join(ROOT, 'postman-collection');
  const variables = [`baseUrl=${url}`, ...(process.env.API_KEY ? [`apiKey=${process.env.API_KEY}`] : [])];
  const args = [
    ...['run', join(folder, 'bifolio.postman_collection.json')],
    ...['--environment', join(folder, 'bifolio.postman_environment.json')],
    ...variables.flatMap((variable) => ['--env-var', variable]),
  ];
  return npx(args, 'inherit').status ?? 1;
}

async function main() {
  ensureNode();
  ensureNewman();
  const given = process.env.BASE_URL?.replace(/\/$/, '');
  if (given) return runCollection(given);
  if (await answers(DEFAULT_URL)) return runCollection(DEFAULT_URL);
  ensureDependencies();
  ensureBuild();
  return withOwnApp(runCollection);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ProvisionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
