/**
 * Runs the simulation of a protocol: `npm run simulate -- --protocol two-phase-commit --seed 123`, or
 * `-- --seeds 20000 --from 1`. Without `--protocol`: replication.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine, wholeNumber } from './command-line.mjs';
import { ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});
const { Option } = await import('commander');
const simulations = join(ROOT, 'test/simulation');
const program = (await commandLine('npm run simulate', 'Runs a protocol with simulated disks, links and crashes.'))
  .addOption(new Option('--protocol <name>', 'the protocol').choices(readdirSync(simulations)).default('replication'))
  .option('--seeds <n>', 'number of runs', await wholeNumber(1), 2_000)
  .option('--from <n>', 'the first seed', await wholeNumber(), 1)
  .option('--seed <n>', 'run only this seed', await wholeNumber())
  .option('--bug <name>', 'plant a bug that the simulation must find')
  .option('--coverage', 'two-phase-commit: report which situations occurred, and how often')
  .parse();
const { protocol, ...options } = program.opts();
if (options.coverage && protocol !== 'two-phase-commit')
  program.error('--coverage works only with --protocol two-phase-commit');
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
const { status } = spawnSync(process.execPath, ['--enable-source-maps', outfile, JSON.stringify(options)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
