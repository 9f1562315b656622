import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const directory = temporaryDirectory();
let node: Server;

afterEach(async () => {
  const stopped = await runToEnd('stop', directory, { args: ['--force'] });
  node.close();
  removeDirectory(directory);
  expect(stopped.code).toBe(0);
});

describe('npm start, given a replica that answers 503', () => {
  it('reports what it waits for, and npm run status shows why the replica is unreachable', async () => {
    node = createServer((request, response) => {
      request.resume();
      response.writeHead(503, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ detail: 'the records are being read' }));
    });
    await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
    const name = `127.0.0.1:${String((node.address() as AddressInfo).port)}`;
    const settings = { REPLICA_NODES: name, MIN_INSYNC: '1' };

    const started = new StartProcess('start', directory, settings);
    await started.prints(/^Waiting for the app \(.*it answered 503: the records are being read.*\) \.\.\.$/m);

    const { code, printed } = await runToEnd('status', directory, settings);
    expect(code).toBe(0);
    expect(printed).toMatch(
      new RegExp(`${name} │ unreachable │ \\?\\s+│ \\?\\s+│ it answered 503: the records are being read `),
    );
  });
});
