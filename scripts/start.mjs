/**
 * `npm start`: makes a fresh clone runnable, then starts and watches Bifolio in this terminal until Ctrl-C or
 * `npm stop`. Plain Node: it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { mayInstall, onPath } from './provision-programs.mjs';
import { ensureBuild, ensureDependencies, ensureNode, ProvisionError, ROOT } from './provision.mjs';

/** Checking that there is nothing to do is faster, and not worth a line. */
const WORTH_A_LINE_MS = 1_000;

function timed(name, step) {
  const startedMs = performance.now();
  step();
  const durationMs = performance.now() - startedMs;
  if (durationMs > WORTH_A_LINE_MS) console.log(`${name}: done in ${(durationMs / 1_000).toFixed(1)} s`);
}

/** What npm start tried in vain is left to "npm run setup". */
const REDIS_TRIED = join(ROOT, '.node/redis-not-installed');

/** Installs a missing Redis server, where that is ours to do and wanted, while the rest is made ready. */
async function installRedis() {
  const ofFile = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  const settings = { ...ofFile, ...process.env };
  const { CACHE, REDIS, REDIS_CLUSTER_NODES, REDIS_CLUSTER_PORTS, REDIS_SERVER_BIN, PATH } = settings;
  const isOff = REDIS === 'off' || CACHE === 'off' || REDIS_CLUSTER_PORTS === '';
  const isWanted = !isOff && !REDIS_CLUSTER_NODES && !REDIS_SERVER_BIN;
  if (!isWanted || onPath('redis-server', { PATH }) || !mayInstall() || existsSync(REDIS_TRIED)) return;
  // In CI too, Bifolio starts without Redis.
  const env = { ...process.env, CI: '' };
  const command = [join(ROOT, 'scripts/provision.mjs'), 'redis'];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'], env });
  await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  if (onPath('redis-server', { PATH })) return;
  try {
    mkdirSync(dirname(REDIS_TRIED), { recursive: true });
    writeFileSync(REDIS_TRIED, '');
  } catch {
    // A project folder that cannot be written does not keep Bifolio from starting; the next start tries again.
  }
}

try {
  // Settings and data directory are those of the project, from wherever this is called.
  process.chdir(ROOT);
  await ensureNode();
  const redis = installRedis();
  timed('Dependencies', ensureDependencies);
  timed('Build', ensureBuild);
  await redis;
  const supervisor = join(ROOT, 'dist/bundle/supervisor.mjs');
  process.argv = [process.argv[0], supervisor, 'start', ...process.argv.slice(2)];
  await import(pathToFileURL(supervisor).href);
} catch (error) {
  console.error(error instanceof ProvisionError ? error.message : error);
  process.exitCode = 1;
}
