/**
 * Lets writers and readers race for the same resources, and checks what they saw: `npm run race`. `-- --seconds 60` takes longer.
 * The races are those of the tests: on app, reader and replicas, then on app and reader while Redis nodes are killed and stopped.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { commandLine, wholeNumber } from './command-line.mjs';
import { ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});

const program = (
  await commandLine('npm run race', 'Lets writers and readers race for the same resources and checks every read.')
)
  .option('--seconds <n>', 'length of each race', await wholeNumber(1), 20)
  .parse();
const races = ['test/integration/stale-reads', 'test/integration/redis-failover'];
const args = [join(ROOT, 'scripts/test.mjs'), '--only', 'integration', ...races];
const env = { ...process.env, RACE_SECONDS: String(program.opts().seconds) };
process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
