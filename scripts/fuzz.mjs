/**
 * Sends requests made from both API documents to an app and a replica, and looks at the answers: `npm run fuzz`.
 * `-- --requests 200000`, `-- --seed 7`; a fault names its number, and `-- --seed 7 --from <number> --requests 1` replays it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureNode, orExplain, ROOT } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
});

const number = (text, name) => {
  if (/^\d{1,9}$/.test(text)) return text;
  console.error(`--${name} takes a whole number; it was given "${text}".`);
  process.exit(2);
};
const option = (byDefault) => ({ type: 'string', default: byDefault });
const { values } = parseArgs({ options: { requests: option('50000'), seed: option('1'), from: option('0') } });

const settings = Object.entries(values).map(([name, text]) => [`FUZZ_${name.toUpperCase()}`, number(text, name)]);
const args = [join(ROOT, 'scripts/test.mjs'), '--only', 'integration', 'test/integration/fuzz'];
const env = { ...process.env, ...Object.fromEntries(settings) };
process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
