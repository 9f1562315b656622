import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import { serveStatus } from '../../src/main/supervisor/status-server.js';
import type { SupervisorStatus } from '../../src/protocols/failover/index.js';
import { ActingPrimary } from '../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import type { ReplicaProcess } from '../support/replica-process.js';
import { sendBytes } from './support/raw-socket.js';
import { useSharedApp } from './support/shared-app.js';
import { startReplica } from './support/shared-replica.js';

const NAMES = { ALLOWED_HOSTS: 'shop.example', NODES: 'node.example:1', ADVERTISED_URL: 'http://app.example:5050' };
const app = useSharedApp(NAMES);
const directory = temporaryDirectory();
let replica: ReplicaProcess;
let supervisor: { readonly url: string; readonly server: Server };

beforeAll(async () => {
  replica = await startReplica(directory, NAMES);
  supervisor = await serveStatus({ port: 0, apiKeys: [], status: () => ({}) as SupervisorStatus });
});
afterAll(async () => {
  supervisor.server.close();
  await replica.stop();
  removeDirectory(directory);
});

/** One request per connection, its head as it stands. */
async function statusOf(url: string, target: string, ...lines: readonly string[]): Promise<string> {
  const answer = await sendBytes(url, [`GET ${target} HTTP/1.1`, ...lines, 'Connection: close', '', ''].join('\r\n'));
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const status = head.split(' ')[1] ?? '';
  if (status !== '200')
    expect([head.toLowerCase(), body]).toEqual([
      expect.stringContaining('application/problem+json'),
      expect.stringMatching(/^\{"type":/),
    ]);
  return status;
}

describe.each([
  ['the app', '/books', () => app.process.url],
  ['a replica', '/customers', () => replica.url],
  ["the supervisor's own server", '/health/live', () => supervisor.url],
] as const)('%s without keys', (who, target, url) => {
  it.each(['localhost', '127.0.0.1:1', '[::1]:5050'])('given the host %s, answers', async (host) => {
    expect(await statusOf(url(), target, `Host: ${host}`)).toBe('200');
  });

  it.each(['evil.example', 'localhost.evil.example:5050', ''])('given the host "%s", answers 421', async (host) => {
    expect(await statusOf(url(), target, `Host: ${host}`)).toBe('421');
  });

  it('given a target with an authority, uses that and not Host', async () => {
    expect(await statusOf(url(), `http://evil.example${target}`, 'Host: localhost')).toBe('421');
    const status = await statusOf(url(), `http://localhost${target}`, 'Host: evil.example');
    // The supervisor serves one target, as its own processes send it.
    expect(status).toBe(who === "the supervisor's own server" ? '404' : '200');
  });

  it('given two Host headers or an invalid one, answers 400', async () => {
    expect(await statusOf(url(), target, 'Host: localhost', 'Host: localhost')).toBe('400');
    expect(await statusOf(url(), target, 'Host: localhost', 'host: evil.example')).toBe('400');
    expect(await statusOf(url(), target, 'Host: local host')).toBe('400');
  });
});

describe.each([
  ['the app', '/books', () => app.process.url],
  ['a replica', '/customers', () => replica.url],
] as const)('%s without keys', (_who, target, url) => {
  it.each(['shop.example', 'node.example:5071', 'app.example'])(
    'given the host %s, a name in its settings, answers',
    async (host) => {
      expect(await statusOf(url(), target, `Host: ${host}`)).toBe('200');
    },
  );

  it('given no Host, answers 400', async () => {
    expect(await statusOf(url(), target)).toBe('400');
  });
});

it('a replica that its primary calls under any name, answers', async () => {
  const primary = new ActingPrimary(replica.url);
  expect(await primary.ship()).toMatchObject({ verdict: 'accepted' });
  primary.link.close();
});
