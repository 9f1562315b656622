/** Finds a program that is no npm package, or installs it where that is ours to do. Plain Node. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ProvisionError } from './provision-error.mjs';

/** Debian's packages ask this program before they start a service; 101 means no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const APT_TIMEOUT_MS = 300_000;

/**
 * What `find` finds; else, as root on a Debian, after installing `debianPackage`. Absent: a warning was printed with what
 * to type, or, in CI, a ProvisionError is thrown.
 */
export function ensureProgram({ name, debianPackage, find, otherRemedy }, env = process.env) {
  const found = find();
  if (found) return found;
  const typed = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${debianPackage}`;
  const remedy = isDebian(env) ? `type "${typed}"` : otherRemedy;
  if (!mayInstall(env)) return missing(env, `${name} is not installed: ${remedy}`);

  console.log(`${name} is not installed: running "apt-get install ${debianPackage}", which takes up to a minute ...`);
  const complaint = withoutStartingServices(() => install(debianPackage, env));
  const reason = complaint ?? 'it cannot be found';
  return find() ?? missing(env, `${name} could not be installed (${reason}): ${remedy}`);
}

function isDebian(env) {
  return existsSync('/etc/debian_version') && onPath('apt-get', env) !== undefined;
}

/** Whether `ensureProgram` would install what it does not find. */
export function mayInstall(env = process.env) {
  return isDebian(env) && process.getuid?.() === 0;
}

export function missing(env, message) {
  const isCi = Boolean(env.CI) && !['0', 'false'].includes(env.CI);
  if (isCi) throw new ProvisionError(message);
  console.warn(`Warning: ${message}`);
  return undefined;
}

/** Returns the last line of complaint of the step that failed, if one did. */
function install(debianPackage, env) {
  const steps = [['update'], ['install', '-y', '--no-install-recommends', debianPackage]];
  const options = ['-q', '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=60'];
  for (const step of steps) {
    const result = spawnSync('apt-get', [...options, ...step], {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      timeout: APT_TIMEOUT_MS,
    });
    if (result.status !== 0) {
      const lines = `${result.stdout ?? ''}\n${result.stderr ?? ''}`.trim().split('\n');
      return `apt-get ${step[0]}: ${result.error?.message ?? lines.at(-1)}`;
    }
  }
  // Its own service is nothing of ours, also not after the next boot. The services have the names of the packages.
  if (onPath('systemctl', env)) spawnSync('systemctl', ['disable', debianPackage], { stdio: 'ignore' });
  return undefined;
}

function withoutStartingServices(work) {
  const aside = `${SERVICE_POLICY}.before-bifolio`;
  const hadOne = existsSync(SERVICE_POLICY);
  // An interrupt still reaches apt-get; ours waits until the policy stands as it was.
  const wait = () => {};
  process.on('SIGINT', wait);
  if (hadOne) renameSync(SERVICE_POLICY, aside);
  try {
    writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    return work();
  } finally {
    rmSync(SERVICE_POLICY, { force: true });
    if (hadOne) renameSync(aside, SERVICE_POLICY);
    process.off('SIGINT', wait);
  }
}

export function onPath(name, env) {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
