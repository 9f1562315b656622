/**
 * `npm run setup`: makes a fresh clone runnable, with a Redis server, which `npm start` can do without. Plain Node: it runs before
 * anything is installed.
 */
import { commandLine } from './command-line.mjs';
import { ensureBuild, ensureDependencies, ensureNode, ensureRedis, orExplain } from './provision.mjs';

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
  const description =
    'Installs and builds what Bifolio needs, with a Redis server (as root on Debian, else it says how).';
  await (await commandLine('npm run setup', description)).parse();
  ensureBuild();
  const redis = ensureRedis();
  if (redis) console.log(`Everything is installed and built. The Redis server is ${redis}.`);
  else process.exitCode = 1;
});
