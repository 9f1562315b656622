/**
 * Makes a fresh clone runnable: Node version, dependencies, build, Redis. Plain Node, so that it runs before anything is
 * installed. Every `ensure...` function does nothing when there is nothing to do, says what it does otherwise, and throws a
 * ProvisionError whose message is the one line to show.
 *
 * On the command line: `node scripts/provision.mjs [node] [dependencies] [build] [redis] [postgres] [flask]`; without
 * a word, all but the last two, which are for tests.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { alone, environmentOf } from './alone.mjs';
import { npm } from './npm.mjs';
import { ProvisionError } from './provision-error.mjs';
import { ensureFlask } from './provision-flask.mjs';
import { ensureNode } from './provision-node.mjs';
import { ensurePostgres } from './provision-postgres.mjs';
import { ensureRedis } from './provision-redis.mjs';

export { ensureFlask, ensureNode, ensurePostgres, ensureRedis, ProvisionError };

/** The folder of the project, absolute. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const DEPENDENCIES_STAMP = join(ROOT, 'node_modules/.bifolio-stamp');
const BUILD_STAMP = join(ROOT, 'dist/.stamp');
/** Which process changes node_modules/ or dist/. */
const AT_WORK = join(ROOT, '.node/at-work');
const BUILT_FROM = ['src', 'examples', 'tsconfig.json', 'package-lock.json', 'nest-cli.json', 'scripts/bundle.mjs'];

/**
 * Settings of the caller's npm that would leave out a part of the installation are overruled. No package needs its scripts:
 * the native ones bring their binaries, which npm would still start a compiler for.
 */
const INSTALL_EVERYTHING = [
  ...['--no-audit', '--no-fund', '--no-global', '--no-dry-run', '--no-package-lock-only', '--no-workspaces'],
  ...['--include=dev', '--include=optional', '--ignore-scripts', '--prefer-offline'],
];

/** Installs the packages of package-lock.json unless exactly these are there. */
export function ensureDependencies() {
  const wanted = dependenciesStamp();
  if (readText(DEPENDENCIES_STAMP) !== wanted) atWork(() => install(wanted));
}

function install(wanted) {
  if (readText(DEPENDENCIES_STAMP) === wanted) return;
  if (!holdsWhatIsLocked()) {
    const state = existsSync(join(ROOT, 'node_modules')) ? 'out of date' : 'missing';
    console.log(`Dependencies are ${state}: running "npm ci", which takes about half a minute ...`);
    if (npmHere(['ci', ...INSTALL_EVERYTHING]) !== 0) throw new ProvisionError('"npm ci" failed; its output is above.');
  }
  spawnSync(process.execPath, [join(ROOT, 'scripts/prepare.mjs')], { stdio: 'ignore' });
  writeFileSync(DEPENDENCIES_STAMP, wanted);
}

/** Does what changes node_modules/ or dist/ while no other command does. */
export function atWork(work) {
  return alone(AT_WORK, work);
}

/** Builds dist/ unless it was built from the sources as they are now. */
export function ensureBuild() {
  const wanted = buildStamp();
  if (readText(BUILD_STAMP) !== wanted) atWork(() => build(wanted));
}

function build(wanted) {
  if (readText(BUILD_STAMP) === wanted) return;
  console.log(`${existsSync(BUILD_STAMP) ? 'The build is out of date' : 'No build exists'}: building ...`);
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--unchecked'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environmentOf(AT_WORK),
  });
  if (status !== 0) throw new ProvisionError('The build failed; its output is above.');
}

function dependenciesStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch}\n`;
}

/** True also after someone's own `npm ci` or `npm install`, which leave no stamp. */
function holdsWhatIsLocked() {
  const installed = readJson(join(ROOT, 'node_modules/.package-lock.json'))?.packages;
  if (!installed) return false;
  const locked = Object.entries(readJson(join(ROOT, 'package-lock.json')).packages).filter(([path]) => path !== '');
  const isAllThere = locked.every(([path, { version, optional, peer }]) => {
    const found = installed[path];
    return found ? found.version === version && existsSync(join(ROOT, path)) : Boolean(optional || peer);
  });
  return isAllThere && nativeAddOnsLoad();
}

function nativeAddOnsLoad() {
  const probe = `new (require('better-sqlite3'))(':memory:').close(); require('@swc/core')`;
  return spawnSync(process.execPath, ['-e', probe], { cwd: ROOT, stdio: 'ignore' }).status === 0;
}

function buildStamp() {
  const hash = createHash('sha256');
  for (const path of BUILT_FROM.flatMap((part) => filesUnder(join(ROOT, part)))) {
    const content = readFileSync(path);
    hash.update(`${relative(ROOT, path)} ${content.length}\n`).update(content);
  }
  return `${hash.digest('hex')}\n`;
}

/** Notes that dist/ was built from the sources as they are now. */
export function writeBuildStamp(stamp = buildStamp()) {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(BUILD_STAMP, stamp);
}

/** The files that shape the build, in a fixed order. A spec is not built. */
function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return entries
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.endsWith('.spec.ts'))
    .sort();
}

/** Runs npm in the project and shows what it says. Returns its exit code. */
function npmHere(args) {
  const { status, error } = npm(args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw new ProvisionError(`npm cannot be started: ${error.message}.`);
  return status ?? 1;
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function readJson(path) {
  const text = readText(path);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Runs what sets the machine up for `work`; a refusal becomes its one line and exit code 1. */
export async function orExplain(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

const STEPS = { dependencies: ensureDependencies, build: ensureBuild, redis: ensureRedis };

if (process.argv[1] && pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url) {
  const words = process.argv.slice(2);
  const steps = { node: () => undefined, ...STEPS, postgres: ensurePostgres, flask: ensureFlask };
  await orExplain(async () => {
    const unknown = words.filter((word) => !Object.hasOwn(steps, word));
    if (unknown.length > 0)
      throw new ProvisionError(`Unknown step ${unknown.join(', ')}: ${Object.keys(steps).join(', ')}.`);
    await ensureNode();
    for (const word of words.length > 0 ? words : Object.keys(STEPS)) steps[word]();
  });
}
