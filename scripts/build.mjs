/** Builds dist/ from the sources: `npm run build`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies, ensureNode, orExplain, ROOT, writeBuildStamp } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});
for (const program of [['node_modules/@nestjs/cli/bin/nest.js', 'build'], ['scripts/bundle.mjs']]) {
  const [file, ...args] = program;
  const { status } = spawnSync(process.execPath, [join(ROOT, file), ...args], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
writeBuildStamp();
