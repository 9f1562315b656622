/** Checks who imports whom: `npm run import-rules`. Arguments are passed on to dependency-cruiser. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});
const folders = ['src', 'test', 'bench', 'examples'].filter((folder) => existsSync(folder));
const { status } = spawnSync(
  process.execPath,
  [
    join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
    ...['--config', join(ROOT, '.dependency-cruiser.js')],
    ...process.argv.slice(2),
    ...folders,
  ],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;
