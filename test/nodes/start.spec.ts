import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { freePorts } from '../support/stand-in-fleet.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const { OLD_NODE, otherNode, SUPPORTED_NODES } = (await import(
  pathToFileURL(resolve('scripts/other-nodes.mjs')).href
)) as {
  readonly OLD_NODE: string;
  readonly SUPPORTED_NODES: readonly string[];
  readonly otherNode: (version: string) => string;
};
const { NODE_PACKAGES } = (await import(pathToFileURL(resolve('scripts/provision-node.mjs')).href)) as {
  readonly NODE_PACKAGES: Readonly<Record<string, { readonly version: string }>>;
};

const READY = /To stop/;
const ITS_OWN = SUPPORTED_NODES.map((version) => [version, version] as const);
const FETCHED = NODE_PACKAGES[`${process.platform}-${process.arch}`]?.version ?? '';
const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) {
    const stopped = await runToEnd('stop', directory, { args: ['--force'] });
    removeDirectory(directory);
    expect(stopped.code).toBe(0);
  }
});

async function post(url: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': `"${url}"\\` };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect([response.status, await response.clone().text()]).toEqual([201, expect.any(String)]);
  return response.json();
}

/** All that is stored, of both stores. */
async function everything(url: string): Promise<unknown> {
  const paths = ['books', 'customers', 'nosql/users/ada-1815'];
  return Promise.all(paths.map(async (path) => (await fetch(`${url}/${path}`)).json()));
}

describe('Bifolio', () => {
  it.each([...ITS_OWN, [OLD_NODE, FETCHED] as const])(
    'on Node %s, which means on %s: writes to both stores survive kill -9 and a restart',
    async (version, runningOn) => {
      const node = otherNode(version);
      const directory = temporaryDirectory();
      directories.push(directory);
      const settings = { node, REPLICA_PORTS: (await freePorts(2)).join(',') };
      const started = new StartProcess('start', directory, settings);
      await started.prints(READY);
      const { pid, url } = started.app;
      await post(`${url}/books`, { title: 'Faust', author: 'Goethe', price: 9.5, quantity: 1 });
      await post(`${url}/customers`, { name: 'Mary Somerville', email: 'mary@example.org' });
      await post(`${url}/books-2pc`, { title: 'Nathan', author: 'Lessing', price: 9.5, quantity: 3 });
      await post(`${url}/nosql/users/ada-1815`, { firstname: 'Ada', lastname: 'Lovelace' });
      const before = await everything(url);

      expect(process.platform === 'linux' ? readlinkSync(`/proc/${String(pid)}/exe`) : runningOn).toContain(runningOn);
      process.kill(pid, 'SIGKILL');
      await started.prints(/The app is back at/);
      expect(await everything(started.app.url)).toEqual(before);

      expect((await runToEnd('stop', directory, settings)).code).toBe(0);
      const again = new StartProcess('start', directory, settings);
      await again.prints(READY);
      expect(await everything(again.app.url)).toEqual(before);
      expect((await runToEnd('stop', directory, settings)).code).toBe(0);
    },
    300_000,
  );

  it.each(['api', 'replica', 'supervisor', 'cli'])(
    'given a Node version that is too old, %s started directly says so in one line and ends',
    (name) => {
      const { status, stdout, stderr } = spawnSync(otherNode(OLD_NODE), [`dist/bundle/${name}.mjs`], {
        encoding: 'utf8',
      });

      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toBe(
        `Bifolio needs Node 22.14 or later, but this is ${OLD_NODE}: run "npm start", which downloads one.\n`,
      );
    },
  );
});
