import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { INSTALL_HEADER, replicationAuthorization, REPLICATION_PATHS } from '../../src/protocols/replication/index.js';
import { encodeInstall } from '../../src/protocols/replication/shell/wire.js';
import { CLUSTER_SECRET } from '../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { positionOf } from '../support/replication-world.js';
import { StartProcess } from '../support/start-process.js';
import { sendBytes } from './support/raw-socket.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const SOON = { HEADERS_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '2000' };
const app = useSharedApp(SOON);
const replica = useSharedReplica(SOON);
const directory = temporaryDirectory();
let supervisor: StartProcess;

beforeAll(async () => {
  supervisor = new StartProcess('start', directory, { ...SOON, SEED: 'off' });
  await supervisor.prints(/127\.0\.0\.1/);
}, 60_000);

afterAll(async () => {
  process.kill(supervisor.pid, 'SIGTERM');
  await supervisor.exited;
  removeDirectory(directory);
});

const urls: Readonly<Record<string, () => string>> = {
  app: () => app.process.url,
  replica: () => replica.process.url,
  supervisor: () => (JSON.parse(readFileSync(join(directory, 'supervisor.json'), 'utf8')) as { url: string }).url,
};

const HALF_HEAD = 'GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n';
const halfBody = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"ti`;

describe('slow clients', () => {
  it('given a client that sends its head or body too slowly, every process answers 408 and closes the connection', async () => {
    const slow: readonly (readonly [process: string, bytes: string])[] = [
      ['app', HALF_HEAD],
      ['app', halfBody('/books')],
      ['app', halfBody('/books-2pc')],
      ['replica', HALF_HEAD],
      ['replica', halfBody('/customers')],
      ['replica', halfBody('/v1/group')],
      ['supervisor', HALF_HEAD],
    ];
    const answers = await Promise.all(slow.map(([name, bytes]) => sendBytes(urls[name]!(), bytes)));
    for (const received of answers) {
      expect(received).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
      expect(received).toMatch(/\r\ncontent-type: application\/problem\+json/i);
      expect(JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4))).toMatchObject({
        status: 408,
        code: 'request-timeout',
      });
    }
  });

  it('given a client that sends nothing, every process closes the connection without an answer', async () => {
    expect(await Promise.all(Object.values(urls).map((url) => sendBytes(url(), '')))).toEqual(['', '', '']);
  });

  it('given a client that never sends a body that its request does not need, the app sends exactly one answer', async () => {
    const slow: readonly (readonly [process: string, line: string])[] = [
      ['app', 'GET /books'],
      ['app', 'POST /nothing'],
      ['replica', 'GET /customers'],
      ['replica', 'POST /replication/install'],
    ];
    const answers = await Promise.all(
      slow.map(([name, line]) =>
        sendBytes(urls[name]!(), `${line} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 20\r\n\r\n{`),
      ),
    );
    for (const received of answers) expect(received.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
  });

  it('given a primary that sends a replica a snapshot slowly, the replica waits for it', async () => {
    const { hostname, port } = new URL(replica.process.url);
    const { records, identity } = replica.primary;
    const position = positionOf(records[0]!);
    const head = [
      `POST ${REPLICATION_PATHS.install} HTTP/1.1`,
      'host: 127.0.0.1',
      'content-length: 1000',
      `authorization: ${replicationAuthorization(CLUSTER_SECRET)}`,
      `${INSTALL_HEADER}: ${encodeInstall({ from: identity, position })}`,
    ].join('\r\n');
    const primary = connect(Number(port), hostname);
    let heard = '';
    primary.on('data', (chunk) => (heard += chunk.toString()));
    primary.write(`${head}\r\n\r\nx`);
    // Its deadline is over when that of a request that began later is.
    await sendBytes(replica.process.url, halfBody('/customers'));
    expect([heard, primary.closed]).toEqual(['', false]);
    primary.destroy();
  });
});
