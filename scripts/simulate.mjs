/** Runs the simulation of the replication protocol: `npm run simulate -- --seed 123`, or `-- --seeds 20000 --from 1`. */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies, ensureNode, ROOT } from './provision.mjs';

ensureNode();
ensureDependencies();
const outfile = join(ROOT, 'build/simulate.mjs');
await build({
  entryPoints: [join(ROOT, 'test/simulation/replication/main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
