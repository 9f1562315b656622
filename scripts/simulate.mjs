/**
 * Runs the simulation of a protocol: `npm run simulate -- --protocol two-phase-commit --seed 123`, or
 * `-- --seeds 20000 --from 1`. Without `--protocol`: replication.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

const args = process.argv.slice(2);
const place = args.indexOf('--protocol');
const protocol = place === -1 ? 'replication' : args[place + 1];
const simulations = join(ROOT, 'test/simulation');
const protocols = readdirSync(simulations);
if (!protocols.includes(protocol)) {
  console.error(`There is no simulation of "${protocol}"; there are: ${protocols.join(', ')}.`);
  process.exit(2);
}

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});
const { build } = await import('esbuild');
const outfile = join(ROOT, `build/simulate-${protocol}.mjs`);
await build({
  entryPoints: [join(simulations, protocol, 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...args], { stdio: 'inherit' });
process.exitCode = status ?? 1;
