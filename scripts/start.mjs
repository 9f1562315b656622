/**
 * `npm start`: makes a fresh clone runnable, then starts and watches Bifolio in this terminal until Ctrl-C or
 * `npm stop`. Plain Node: it runs before anything is installed.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureNode, ensureRedis, ProvisionError, ROOT } from './provision.mjs';

/** Checking that there is nothing to do is faster, and not worth a line. */
const WORTH_A_LINE_MS = 1_000;

function timed(name, step) {
  const startedMs = performance.now();
  step();
  const durationMs = performance.now() - startedMs;
  if (durationMs > WORTH_A_LINE_MS) console.log(`${name}: done in ${(durationMs / 1_000).toFixed(1)} s`);
}

/** Nothing needs Redis yet to start: without it there is a warning. */
function redisIfPossible() {
  try {
    ensureRedis();
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    console.warn(`Warning: ${error.message}`);
  }
}

try {
  // Settings and data directory are those of the project, from wherever this is called.
  process.chdir(ROOT);
  await ensureNode();
  timed('Dependencies', ensureDependencies);
  timed('Build', ensureBuild);
  timed('Redis', redisIfPossible);
  const supervisor = join(ROOT, 'dist/bundle/supervisor.mjs');
  process.argv = [process.argv[0], supervisor, 'start', ...process.argv.slice(2)];
  await import(pathToFileURL(supervisor).href);
} catch (error) {
  console.error(error instanceof ProvisionError ? error.message : error);
  process.exitCode = 1;
}
