/** Runs npm. Plain Node. */
import { spawnSync } from 'node:child_process';

/** With the npm that started us, if there is one. Returns what spawnSync returns, with texts. */
export function npm(args, options) {
  const startedBy = process.env.npm_execpath ?? '';
  const [command, first] = startedBy.endsWith('npm-cli.js') ? [process.execPath, [startedBy]] : ['npm', []];
  const isWindowsShim = command === 'npm' && process.platform === 'win32';
  return spawnSync(command, [...first, ...args], { encoding: 'utf8', ...options, shell: isWindowsShim });
}
