/**
 * Makes `earlier-data.tar.gz`: the data directory, the replicas and the open operations of a cluster client, as the build
 * in dist/bundle leaves them when everything is killed in the middle of a transaction, and what it had answered before:
 *
 *     npm run build && node test/earlier-data/make.mjs [a folder to work in]
 *
 * It is made by the build that writes an old format, before the format changes, and kept.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureNode } from '../../scripts/provision.mjs';

const BUNDLE = fileURLToPath(new URL('../../dist/bundle/', import.meta.url));
const ARCHIVE = fileURLToPath(new URL('earlier-data.tar.gz', import.meta.url));
const WORK = resolve(process.argv[2] ?? mkdtempSync(join(tmpdir(), 'bifolio-earlier-')));
const KEPT = join(WORK, 'kept');
const DATA = join(KEPT, 'data');
const REPLICAS = join(KEPT, 'replicas');
const BACKUP = join(WORK, 'backup');
const CLIENTS = ['client', 'creator', 'deleter', 'undoer', 'finisher'];
const WAIT_MS = 60_000;
/** Enough for a snapshot and a journal behind it. */
const CUSTOMERS = 40;

const settings = {
  ...{ PATH: process.env.PATH, DATA_DIR: DATA, REPLICAS_DIR: REPLICAS, LOG_LEVEL: 'warn' },
  ...{ SNAPSHOT_EVERY_BYTES: '12000', JOURNAL_RESERVE_BYTES: '4096' },
  ...{ REPLICA_TIMEOUT_MS: '10000', PREPARE_DEADLINE_MS: '15000', WRITE_DEADLINE_MS: '20000' },
};
const FAULTS = (site) => ({ FAULTS: '1', CRASH_SITE: site });

async function until(probe, what) {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await delay(20)) {
    if (await Promise.resolve(probe()).catch(() => false)) return;
  }
  throw new Error(`not within ${WAIT_MS} ms: ${what}`);
}

function run(program, args, environment) {
  const child = spawn(process.execPath, [join(BUNDLE, `${program}.mjs`), ...args], {
    env: { ...settings, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { child, gone: once(child, 'exit') };
}

async function end({ child, gone }, signal) {
  child.kill(signal);
  await gone;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const ports = [];
while (ports.length < 4) ports.push(await freePort());
const node = (index) => `http://127.0.0.1:${ports[index]}`;
const replicas = [];
let app;
let url;

async function startReplica(index) {
  replicas[index] = run('replica', [], { PORT: String(ports[index]), SNAPSHOT_EVERY_BYTES: '2500' });
  await until(async () => (await fetch(`${node(index)}/health/live`)).ok, `replica ${index + 1} answers`);
}

async function startApp(inSync = 4, environment = {}) {
  rmSync(join(DATA, 'app.json'), { force: true });
  app = run('api', [], { PORT: '0', REPLICA_PORTS: ports.join(','), ...environment });
  await until(() => existsSync(join(DATA, 'app.json')), 'the app answers');
  ({ url } = JSON.parse(readFileSync(join(DATA, 'app.json'), 'utf8')));
  await until(async () => (await fetch(`${url}/health/ready`)).ok, 'the app is ready');
  await until(async () => (await read('/replication/status')).inSync === inSync, `${inSync} replicas are in sync`);
}

/** What was answered to writes with keys, to be answered alike. `origin`: `app`, or the index of a node. */
const answers = [];

async function read(path, base = url) {
  return (await fetch(base + path)).json();
}

async function write(method, path, body, key, origin = 'app') {
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) };
  const base = origin === 'app' ? url : node(origin);
  const response = await fetch(base + path, {
    ...{ method, headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  const answer = { status: response.status, body: text === '' ? null : JSON.parse(text) };
  const [location, operationId] = ['location', 'x-operation-id'].map((name) => response.headers.get(name));
  if (key !== undefined) answers.push({ origin, method, path, sent: body, key, location, operationId, ...answer });
  return answer.body;
}

async function dying(method, path, body, key) {
  await write(method, path, body, key).then(
    () => Promise.reject(new Error(`${path} was answered`)),
    () => undefined,
  );
  await app.gone;
}

/** The exit code, or the signal. `client`: has a directory of its own, so that none takes up what another has left open. */
async function cluster(client, args, environment = {}) {
  const nodes = ports.map((port) => `127.0.0.1:${port}`).join(',');
  const directory = join(WORK, client);
  const { gone } = run('cli', ['cluster', '--nodes', nodes, ...args], { ...environment, DATA_DIR: directory });
  const [code, signal] = await gone;
  return code ?? signal;
}

async function expectEnd(wanted, ...call) {
  const ended = await cluster(...call);
  if (ended !== wanted) throw new Error(`cluster ${call[1].join(' ')} ended with ${ended}, not ${wanted}`);
}

const book = (title, quantity) => ({ title, author: 'Octavia E. Butler', price: 12.5, quantity });
const person = (lastname) => ({ firstname: 'Ada', lastname });
const customer = (name) => ({ name, email: 'ada@example.org' });

/** The last replica goes on with a history that the others lose. */
async function quarantineOne() {
  for (const index of ports.keys()) await startReplica(index);
  await startApp();
  await end(app, 'SIGTERM');
  for (const replica of replicas) await end(replica, 'SIGTERM');
  cpSync(KEPT, BACKUP, { recursive: true });
  for (const index of ports.keys()) await startReplica(index);
  await startApp();
  await write('POST', '/customers', customer('in no other history'));
  await end(app, 'SIGTERM');
  for (const replica of replicas) await end(replica, 'SIGTERM');

  const others = [DATA, ...ports.slice(0, -1).map((port) => join(REPLICAS, String(port)))];
  for (const directory of others) {
    rmSync(directory, { recursive: true });
    cpSync(directory.replace(KEPT, BACKUP), directory, { recursive: true });
  }
  for (const index of [0, 1, 2]) await startReplica(index);
  await startApp(3);
  await write('POST', '/customers', customer('Charles Babbage'));
  await end(app, 'SIGTERM');
  await startApp(3);
  await startReplica(3);
  await until(async () => (await read('/replication/status')).inSync === 4, 'all are in sync');
}

async function writeBooksAndUsers() {
  for (const title of ['Kindred', 'Fledgling', 'Wild Seed']) await write('POST', '/books', book(title, 3));
  await write('POST', '/books', book('Dawn', 7), 'a book');
  await write('PUT', '/books/3', book('Kindred', 5), 'a replaced book');
  await write('DELETE', '/books/4', undefined, 'a deleted book');
  await write('POST', '/sql/users', person('Lovelace'), 'a user in SQL');
  await write('POST', '/sql/users', person('Byron'));
  await write('PUT', '/sql/users/2', { lastname: 'King' }, 'a replaced user in SQL');
  await write('POST', '/nosql/users/countess', person('Lovelace'), 'a user in documents');
  await write('PUT', '/nosql/users/countess', person('King'), 'a replaced user in documents');
  await write('POST', '/sql_mongo/users', person('of both'), 'a user in both');
  await write('POST', '/sql_mongo/users', { ...person('of both, under an id'), id: 90 });
}

async function writeCustomers() {
  for (let n = 1; n <= CUSTOMERS; n += 1) {
    await write('POST', '/customers', customer(`customer ${n} "quoted" 📚`), n % 6 === 0 ? `customer ${n}` : undefined);
  }
  await write('PUT', '/customers/1', customer('Ada King'), 'a replaced customer');
  await write('DELETE', '/customers/5', undefined, 'a deleted customer');
}

async function writeTransactions() {
  await write('POST', '/books-2pc', book('Parable of the Sower', 2), 'a transaction');
  await write('POST', '/customers', customer('after a transaction'));
  await write('POST', '/books-2pc', book('Parable of the Talents', 2));
  await end(app, 'SIGTERM');
  await startApp(4, FAULTS('2pc.decide.before'));
  await dying('POST', '/books-2pc', book('of an aborted transaction', 1), 'an aborted transaction');
  await startApp();
}

async function writeGroups() {
  for (const groupId of ['1', 'two', 'drei "3"', 'gone', 'half deleted']) {
    await expectEnd(0, 'client', ['create', groupId]);
  }
  await expectEnd(0, 'client', ['delete', 'gone']);
  await fetch(`${node(1)}/v1/groups/version`, { method: 'PUT', headers: { 'x-group-version': '500' } });
  await expectEnd(0, 'client', ['repair', '--raise-to', '500']);
  await write('POST', '/v1/group', { groupId: 'on one node' }, 'a group', 2);
  await write('POST', '/v1/group', { groupId: 'briefly on one node' }, undefined, 2);
  await write('DELETE', '/v1/group', { groupId: 'briefly on one node' }, 'a deleted group', 2);

  // The nodes are looked at before the first of them is changed.
  const inTheMiddle = FAULTS('cluster.call.after#6');
  await expectEnd('SIGKILL', 'creator', ['create', 'half created'], inTheMiddle);
  await expectEnd('SIGKILL', 'deleter', ['delete', 'half deleted'], inTheMiddle);
  await expectEnd('SIGKILL', 'undoer', ['create', 'half undone'], inTheMiddle);
  await expectEnd('SIGKILL', 'finisher', ['create', 'not told'], FAULTS('cluster.forget.before'));
  replicas[3].child.kill('SIGSTOP');
  await expectEnd(1, 'undoer', ['--patience', '300', '--deadline', '200', 'repair']);
  for (const client of CLIENTS) cpSync(join(WORK, client, 'cluster'), join(DATA, 'cluster'), { recursive: true });
  await end(replicas[3], 'SIGKILL');
  await startReplica(3);
  await until(async () => (await read('/replication/status')).inSync === 4, 'all are in sync again');
}

async function describeAll() {
  const reads = {};
  for (const path of [
    '/books',
    '/customers',
    ...['1', '2', '3', '90'].map((id) => `/sql/users/${id}`),
    '/transactions',
  ]) {
    reads[path] = await read(path);
  }
  for (const id of ['countess', '3', '90']) reads[`/nosql/users/${id}`] = await read(`/nosql/users/${id}`);
  for (const { operationId, origin } of answers) {
    if (origin === 'app') reads[`/operations/${operationId}`] = await read(`/operations/${operationId}`);
  }
  const groups = [];
  for (const index of ports.keys()) {
    const response = await fetch(`${node(index)}/v1/groups`, { headers: { 'x-operation-id': 'a look' } });
    const { groups: found } = await response.json();
    groups.push({ version: response.headers.get('x-group-version'), ids: found.map(({ groupId }) => groupId) });
  }
  return { reads, groups };
}

await ensureNode();
rmSync(WORK, { recursive: true, force: true });
mkdirSync(DATA, { recursive: true });
mkdirSync(REPLICAS, { recursive: true });
try {
  await quarantineOne();
  await writeBooksAndUsers();
  await writeCustomers();
  await writeTransactions();
  await writeGroups();
  await end(app, 'SIGTERM');
  await startApp(4, FAULTS('2pc.decide.after'));
  await write('POST', '/customers', customer('the last one'), 'the last customer');
  await write('PUT', '/books/1', book('the last book', 1), 'the last book');
  const described = await describeAll();
  const inDoubt = { sent: book('of a transaction in doubt', 4), key: 'a transaction in doubt' };
  await dying('POST', '/books-2pc', inDoubt.sent, inDoubt.key);
  for (const replica of replicas) await end(replica, 'SIGKILL');
  const expected = { madeAtMs: Date.now(), ports, answers, inDoubt, ...described };
  writeFileSync(join(KEPT, 'expected.json'), `${JSON.stringify(expected, undefined, 1)}\n`);
  const tar = spawnSync('tar', ['-czf', ARCHIVE, '-C', KEPT, ...readdirSync(KEPT)], { stdio: 'inherit' });
  if (tar.status !== 0) throw new Error('tar failed');
  console.log(`made ${ARCHIVE} of ${KEPT}`);
} finally {
  for (const { child } of [app, ...replicas].filter((started) => started !== undefined)) child.kill('SIGKILL');
}
