/**
 * Sends requests made from both API documents to an app and a replica, and looks at the answers: `npm run fuzz`.
 * `-- --requests 200000`, `-- --seed 7`; a fault names its number, and `-- --seed 7 --from <number> --requests 1` replays it.
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
  await commandLine('npm run fuzz', 'Sends seeded requests, valid and invalid, made from the API documents.')
)
  .option('--requests <n>', 'number of requests', await wholeNumber(), 50_000)
  .option('--seed <n>', 'seed of the requests', await wholeNumber(), 1)
  .option('--from <n>', 'number of the first request, as a fault reports it', await wholeNumber(), 0)
  .parse();
const settings = Object.entries(program.opts()).map(([name, value]) => [`FUZZ_${name.toUpperCase()}`, String(value)]);
const args = [join(ROOT, 'scripts/test.mjs'), '--only', 'integration', 'test/integration/fuzz'];
const env = { ...process.env, ...Object.fromEntries(settings) };
process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
