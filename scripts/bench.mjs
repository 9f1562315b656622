/** Measures: `npm run bench`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
  ensureBuild();
});
const compile = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.bench.json'];
for (const args of [compile, [join(ROOT, 'build/bench/main.js'), ...process.argv.slice(2)]]) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
