/**
 * Kills real processes at the crash sites of the two-phase commit and audits what they leave: `npm run test:crash`.
 * `-- --double` also kills at a second site in the recovery from the first, which takes long; `--checkouts` does so with checkouts.
 * `-- --takeovers 100` kills the active app so often behind a gateway, and the standby takes over, under every kind of client.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { commandLine, wholeNumber } from './command-line.mjs';
import { ensureBuild, ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

const OF_DOUBLE = ['checkouts', 'minutes', 'from', 'replicas', 'first', 'second', 'seed'];

async function readOptions() {
  const program = (await commandLine('npm run test:crash', 'Kills the app at each crash site and audits its data.'))
    .option('-t, --testNamePattern <text>', 'without --double: only crash sites whose test title matches')
    .option(
      '--takeovers <n>',
      'only kill the active app so often behind a gateway and let a standby take over',
      await wholeNumber(1),
    )
    .option('--double', 'also kill the app at a second site, during the recovery from the first')
    .option('--checkouts', 'with --double: kill the app during checkouts instead of transactions')
    .option('--minutes <n>', 'with --double: begin no pair after this many minutes', await wholeNumber(1), 30)
    .option('--from <n>', 'with --double: number of the first pair', await wholeNumber(1), 1)
    .option('--replicas <n>', 'with --double: number of replicas', await wholeNumber(), 0)
    .option('--first <site>', 'with --double: only first sites with this prefix')
    .option('--second <site>', 'with --double: only second sites with this prefix')
    .option('--seed <n>', 'with --double: seed of the load', await wholeNumber(), 1)
    .parse();
  const options = program.opts();
  const isGiven = (name) => program.getOptionValueSource(name) === 'cli';
  if (options.takeovers !== undefined && options.double) program.error('--takeovers works only without --double');
  const misplaced = options.double ? ['testNamePattern'].filter(isGiven) : OF_DOUBLE.filter(isGiven);
  if (misplaced.length > 0) {
    program.error(`--${misplaced[0]} works only ${options.double ? 'without' : 'with'} --double`);
  }
  return options;
}

async function doubleDeaths(options) {
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
  return ['--enable-source-maps', outfile, JSON.stringify(options)];
}

const TAKEOVERS = ['test/integration/gateway-audits', 'test/integration/gateway-takeover'];

let program;
const env = { ...process.env };
await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
  const options = await readOptions();
  const { testNamePattern: pattern } = options;
  const chosen = pattern === undefined ? [] : ['-t', pattern];
  const { takeovers } = options;
  const specs = takeovers === undefined ? ['two-phase-crash-sites'] : TAKEOVERS;
  if (takeovers !== undefined) env.GATEWAY_TAKEOVERS = String(takeovers);
  program = options.double
    ? await doubleDeaths(options)
    : [join(ROOT, 'scripts/test.mjs'), '--only', 'integration', ...specs, ...chosen];
});
process.exitCode = spawnSync(process.execPath, program, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
