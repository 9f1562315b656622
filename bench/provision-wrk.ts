import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const APT_TIMEOUT_MS = 300_000;
const APT_OPTIONS = [
  '-q',
  '-o',
  'Acquire::Retries=2',
  '-o',
  'Acquire::http::Timeout=20',
  '-o',
  'DPkg::Lock::Timeout=60',
];

/** The path of wrk: the first on PATH, else, as root on a Debian, a new one from apt. Absent: one line said what to type. */
export function ensureWrk(): string | undefined {
  const found = onPath('wrk');
  if (found !== undefined) return found;
  const isDebian = existsSync('/etc/debian_version') && onPath('apt-get') !== undefined;
  if (!isDebian || process.getuid?.() !== 0) {
    console.warn(`wrk, the load generator, is not installed: ${remedy(isDebian)}`);
    return undefined;
  }
  console.log('wrk is not installed: running "apt-get install wrk", which takes up to a minute ...');
  for (const step of [['update'], ['install', '-y', '--no-install-recommends', 'wrk']]) {
    spawnSync('apt-get', [...APT_OPTIONS, ...step], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: 'ignore',
      timeout: APT_TIMEOUT_MS,
    });
  }
  const installed = onPath('wrk');
  if (installed === undefined) console.warn(`wrk could not be installed: ${remedy(isDebian)}`);
  return installed;
}

function remedy(isDebian: boolean): string {
  if (isDebian) return 'type "sudo apt-get update && sudo apt-get install -y --no-install-recommends wrk"';
  if (process.platform === 'darwin') return 'type "brew install wrk"';
  return 'install wrk 4 and put it on the PATH';
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
