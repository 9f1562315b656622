/**
 * Runs postman-collection/ with newman: `npm run postman`. Against BASE_URL if it is set, else against the app on the
 * default port if one answers there, else against a system of its own, an app and four replicas, on free ports with data
 * it throws away. The replica is REPLICA_URL, else the first in reach of those that the app names. API_KEY is sent along if
 * it is set.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandLine } from './command-line.mjs';
import { ensureBuild, ensureDependencies, ensureNode, ProvisionError, ROOT } from './provision.mjs';

const NEWMAN = 'newman@6';
if (existsSync('.env')) process.loadEnvFile('.env');
const DEFAULT_URL = `http://127.0.0.1:${process.env.PORT || '5050'}`;
const ANSWER_WITHIN_MS = 2_000;
const START_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;
const REPLICAS = 4;

/** Newman talks to this machine, whatever proxy the rest goes through. */
const ENVIRONMENT = { ...process.env, NO_PROXY: ['127.0.0.1,localhost', process.env.NO_PROXY].filter(Boolean).join() };

function npx(args, stdio) {
  const isWindows = process.platform === 'win32';
  return spawnSync('npx', ['--yes', NEWMAN, ...args], { cwd: ROOT, env: ENVIRONMENT, stdio, shell: isWindows });
}

function ensureNewman() {
  if (npx(['--version'], 'ignore').status === 0) return;
  throw new ProvisionError(
    `npx cannot download ${NEWMAN}, which runs the collection: check that the npm registry is reachable.`,
  );
}

/** Whether Bifolio, and not some other program, answers there. */
async function answers(url) {
  try {
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return (await response.json()).status === 'ok';
  } catch {
    return false;
  }
}

/** What the app says of its replicas; undefined when it does not. */
async function replicationStatus(url) {
  try {
    const headers = process.env.API_KEY ? { 'x-api-key': process.env.API_KEY } : {};
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const response = await fetch(`${url}/replication/status`, { headers, signal });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

/** Of a replica that answers; empty, and said so, when there is none. */
async function replicaOf(url) {
  const given = process.env.REPLICA_URL?.replace(/\/$/, '');
  if (given) return given;
  const names = (await replicationStatus(url))?.replicas.map(({ name }) => name) ?? [];
  for (const name of names) if (await answers(`http://${name}`)) return `http://${name}`;
  const what = names.length === 0 ? 'The app has no replicas' : `None of ${names.join(', ')} is reachable from here`;
  console.warn(
    `${what}: the folders "Replicas" and "Groups on a node" are skipped. Set REPLICA_URL=http://host:port to run them.`,
  );
  return '';
}

/** Free while they are all held; they are let go just before they are used. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The address in a run file; undefined while there is none. */
function urlIn(runFile) {
  try {
    return JSON.parse(readFileSync(runFile, 'utf8')).url;
  } catch {
    return undefined;
  }
}

/** Starts what `npm start` starts, lets `use` have the app's address, and leaves nothing of it behind. */
async function withOwnSystem(use) {
  const directory = mkdtempSync(join(tmpdir(), 'bifolio-postman-'));
  const [port, ...replicaPorts] = await freePorts(1 + REPLICAS);
  const own = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: join(directory, 'data'),
    REPLICAS_DIR: join(directory, 'replicas'),
    REPLICA_PORTS: replicaPorts.join(','),
    REPLICA_NODES: '',
    MIN_INSYNC_REPLICAS: '',
    ADVERTISED_URL: '',
    CLUSTER_SECRET: '',
    API_KEYS: '',
    RATE_LIMIT: 'off',
    REDIS: 'off',
    SUPERVISOR_PORT: '0',
    STANDBY_PORT: 'off',
    GATEWAY_PORT: 'off',
    LOG_LEVEL: 'error',
  };
  const supervisor = spawn(process.execPath, [join(ROOT, 'dist/bundle/supervisor.mjs'), 'start'], {
    cwd: directory,
    env: { ...process.env, ...own },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => supervisor.once('exit', resolve));
  try {
    for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
      const url = urlIn(join(own.DATA_DIR, 'app.json'));
      if (url && (await replicationStatus(url))?.inSync === REPLICAS) return await use(url);
      if (supervisor.exitCode !== null || waitedMs > START_WITHIN_MS)
        throw new ProvisionError('npm start did not become ready; its output is above.');
      await delay(LOOK_EVERY_MS);
    }
  } finally {
    supervisor.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Newman's exit code. */
async function runCollection(url) {
  const replicaUrl = await replicaOf(url);
  console.log(`Running the collection against ${url}${replicaUrl && ` and the replica ${replicaUrl}`}`);
  const folder = join(ROOT, 'postman-collection');
  const variables = [
    ...[`baseUrl=${url}`, `replicaUrl=${replicaUrl}`],
    ...(process.env.API_KEY ? [`apiKey=${process.env.API_KEY}`] : []),
  ];
  const args = [
    ...['run', join(folder, 'bifolio.postman_collection.json')],
    ...['--environment', join(folder, 'bifolio.postman_environment.json')],
    ...variables.flatMap((variable) => ['--env-var', variable]),
  ];
  return npx(args, 'inherit').status ?? 1;
}

async function main() {
  await ensureNode();
  ensureDependencies();
  (
    await commandLine(
      'npm run postman',
      'Runs the Postman collection against BASE_URL, the running app or one of its own.',
    )
  )
    .usage('')
    .addHelpText('after', '\nEnvironment: BASE_URL, REPLICA_URL and API_KEY.')
    .parse();
  ensureNewman();
  const given = process.env.BASE_URL?.replace(/\/$/, '');
  if (given) return runCollection(given);
  if (await answers(DEFAULT_URL)) return runCollection(DEFAULT_URL);
  ensureBuild();
  return withOwnSystem(runCollection);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ProvisionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
