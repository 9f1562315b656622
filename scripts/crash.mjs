/**
 * Kills real processes at the crash sites of the two-phase commit and audits what they leave: `npm run test:crash`.
 * With `-- --double` also at a second site in the recovery from the first, which takes long; test/crash/main.ts says how
 * to choose among them.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

const args = process.argv.slice(2);

async function doubleDeaths() {
  ensureDependencies();
  ensureBuild();
  const { build } = await import('esbuild');
  const outfile = join(ROOT, 'build/crash.mjs');
  await build({
    entryPoints: [join(ROOT, 'test/crash/main.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return ['--enable-source-maps', outfile, ...args];
}

let program;
await orExplain(async () => {
  await ensureNode();
  program = args.includes('--double')
    ? await doubleDeaths()
    : [join(ROOT, 'scripts/test.mjs'), '--only', 'integration', 'two-phase-crash-sites', ...args];
});
process.exitCode = spawnSync(process.execPath, program, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
