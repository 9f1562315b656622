/** `npm stop [-- --force]`: stops what `npm start` started on the data directory and its replicas, and waits until it is gone. Plain Node. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureNode, ProvisionError, ROOT } from './provision.mjs';

const supervisor = join(ROOT, 'dist/bundle/supervisor.mjs');

/** Nothing that runs leaves its directory without one of these, unless somebody deletes them. */
function isAnythingNoted() {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const dataDirectory = resolve(process.env.DATA_DIR || 'data');
  const replicas = resolve(process.env.REPLICAS_DIR || 'replicas');
  const redis = join(dataDirectory, 'redis');
  const [own, names, nodes] = [dataDirectory, replicas, redis].map((folder) =>
    existsSync(folder) ? readdirSync(folder) : [],
  );
  return [
    ...own.filter((name) => /^(app|supervisor|reader-\d+)\.json$/.test(name)).map((name) => join(dataDirectory, name)),
    ...names.map((name) => join(replicas, name, 'replica.json')),
    ...nodes.filter((name) => /^node-\d\.json$/.test(name)).map((name) => join(redis, name)),
  ].some(existsSync);
}

try {
  process.chdir(ROOT);
  const isBuilt = existsSync(supervisor);
  if (!isBuilt && !isAnythingNoted() && process.argv.length === 2) {
    console.log('Not running.');
  } else {
    await ensureNode();
    if (!isBuilt) {
      ensureDependencies();
      ensureBuild();
    }
    process.argv = [process.argv[0], supervisor, 'stop', ...process.argv.slice(2)];
    await import(pathToFileURL(supervisor).href);
  }
} catch (error) {
  console.error(error instanceof ProvisionError ? error.message : error);
  process.exitCode = 1;
}
