/** Runs a program of node_modules in the project, on a Node that fits and with its packages there: `tool.mjs eslint .` */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});
const [name, command, ...args] = process.argv.slice(2);
const folder = join(ROOT, 'node_modules', name);
const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const program = join(folder, typeof bin === 'string' ? bin : bin[command]);
const { status } = spawnSync(process.execPath, [program, ...args], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
