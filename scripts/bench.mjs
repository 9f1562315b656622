/** Measures: `npm run bench`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { commandLine, wholeNumber } from './command-line.mjs';
import { ensureBuild, ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});
const { Option } = await import('commander');
const options = (await commandLine('npm run bench', 'Measures the app, or compares two builds of it.'))
  .option(
    '--only <names>',
    'comma-separated figures to measure (default: all)',
    (text, all) => [...all, ...text.split(',')],
    [],
  )
  .option('--rounds <n>', 'measurements of each figure', await wholeNumber(1), 5)
  .option('--seconds <n>', 'length of each measurement', await wholeNumber(1), 3)
  .option('--program <file>', 'the app to measure', 'dist/bundle/api.mjs')
  .option('--against <file>', 'the app of another build to compare with')
  .addOption(new Option('--generator <name>', 'the load generator').choices(['wrk', 'autocannon']).default('wrk'))
  .parse()
  .opts();
await orExplain(ensureBuild);
const compile = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.bench.json'];
for (const args of [compile, [join(ROOT, 'build/bench/main.js'), JSON.stringify(options)]]) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
