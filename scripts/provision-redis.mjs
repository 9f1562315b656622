/** Finds a Redis server, or installs one where that is ours to do. Plain Node. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ProvisionError } from './provision-error.mjs';

/** Debian's packages ask this program before they start a service; 101 means no. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const APT_TIMEOUT_MS = 300_000;

/**
 * The path of a redis-server: REDIS_SERVER_BIN, else the first on PATH, else, as root on a Debian, a new one from apt.
 * Absent: a warning was printed with what to type, or, in CI, a ProvisionError is thrown.
 */
export function ensureRedis(env = process.env) {
  if (env.REDIS_SERVER_BIN) {
    if (isProgram(env.REDIS_SERVER_BIN)) return env.REDIS_SERVER_BIN;
    return missing(env, `REDIS_SERVER_BIN=${env.REDIS_SERVER_BIN} is not a program`);
  }
  const found = onPath('redis-server', env);
  if (found) return found;
  const isDebian = existsSync('/etc/debian_version') && onPath('apt-get', env) !== undefined;
  if (!isDebian || process.getuid?.() !== 0) return missing(env, `redis-server is not installed: ${remedy(isDebian)}`);

  console.log('redis-server is not installed: running "apt-get install redis-server", which takes up to a minute ...');
  const complaint = withoutStartingServices(() => install(env));
  const installed = onPath('redis-server', env);
  if (installed) return installed;
  return missing(env, `redis-server could not be installed (${complaint ?? 'it is not on PATH'}): ${remedy(isDebian)}`);
}

function missing(env, message) {
  const isCi = Boolean(env.CI) && !['0', 'false'].includes(env.CI);
  if (isCi) throw new ProvisionError(message);
  console.warn(`Warning: ${message}`);
  return undefined;
}

function remedy(isDebian) {
  if (isDebian) return 'type "sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server"';
  if (process.platform === 'darwin') return 'type "brew install redis"';
  return 'install Redis 7 or newer, or name its server in REDIS_SERVER_BIN';
}

/** Returns the last line of complaint of the step that failed, if one did. */
function install(env) {
  const steps = [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']];
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
  // Its own service on port 6379 is nothing of ours, also not after the next boot.
  if (onPath('systemctl', env)) spawnSync('systemctl', ['disable', 'redis-server'], { stdio: 'ignore' });
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

function onPath(name, env) {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
