import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { freePorts } from '../support/stand-in-fleet.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const STRING_AND_COLON = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g;
const NASTY = '"\\"q:{\\';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(async () => {
  const { code } = await runToEnd('stop', directory, { args: ['--force'] });
  removeDirectory(directory);
  expect(code).toBe(0);
});

/** Names of members in the JSON files that were written, as they stand there. */
function namesInFiles(): Set<string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => /\.json$|documents.*\.log$|groups.*\.log$/.test(file))
    .map((file) => readFileSync(join(directory, file), 'utf8'));
  const members = texts.flatMap((text) => [...text.matchAll(STRING_AND_COLON)].filter(([, , colon]) => colon));
  return new Set(members.map(([, name = '']) => name));
}

it('given any key, id or text of a client, no file contains a member name that JSON writes with an escape', async () => {
  const [port = 0] = await freePorts(1);
  const settings = { REPLICA_PORTS: String(port), SNAPSHOT_EVERY_BYTES: '1024' };
  const started = new StartProcess('start', directory, settings);
  await started.prints(/To stop/);
  const node = `http://127.0.0.1:${String(port)}`;
  const { url } = started.app;
  const post = async (to: string, body: unknown): Promise<number> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `${NASTY}${String(Math.random())}` };
    return (await fetch(to, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  const names = { firstname: `${NASTY}\n`, lastname: NASTY };
  const book = { title: `${NASTY}\n`, author: NASTY, price: 1, quantity: 1 };

  expect([
    await post(`${url}/customers`, { name: `${NASTY}\n`, email: `${NASTY}@b` }),
    await post(`${url}/books-2pc`, book),
    await post(`${url}/nosql/users/${encodeURIComponent('ada-1815')}`, names),
    await post(`${url}/nosql/users/${encodeURIComponent(NASTY)}`, names),
    await post(`${url}/sql_mongo/users`, names),
    await post(`${node}/v1/group`, { groupId: `${NASTY}\n` }),
    await post(`${url}/customers`, { name: 'Ada', email: 'a@b', [NASTY]: 1 }),
  ]).toEqual([201, 201, 201, 400, 201, 201, 400]);
  expect((await runToEnd('stop', directory)).code).toBe(0);
  const again = new StartProcess('start', directory, settings);
  await again.prints(/To stop/);
  const found = namesInFiles();

  expect(['"email"', '"firstname"', '"groupId"', '"_meta"'].filter((name) => !found.has(name))).toEqual([]);
  expect([...found].filter((name) => name.includes('\\'))).toEqual([]);
  expect(await (await fetch(`${again.app.url}/nosql/users/ada-1815`)).json()).toMatchObject({ lastname: NASTY });
});
