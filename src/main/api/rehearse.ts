import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessControl } from '../../kernel/index.js';
import { type NodeCall, NodeClient } from '../../platform/node-client/index.js';
import { isAlive } from '../../platform/nodes/index.js';
import { logPort } from '../../platform/observability/index.js';
import type { RunningServer } from '../../platform/nodes/index.js';
import { lockDirectory, type Start } from './lock.js';
import { openStores } from './open.js';
import { serve } from './serve.js';

/** The second start in a process takes half the time of the first, the third a little less. */
const TIMES = 3;
const ANSWER_WITHIN_MS = 10_000;
const SCRATCH = /^bifolio-rehearsal-(\d+)-/;

const BOOK = { title: 'Rehearsal', author: 'Standby', price: 1, quantity: 1 };
/** What clients are likely to ask first. */
const REQUESTS: readonly (readonly [method: NodeCall['method'], path: string, body?: unknown])[] = [
  ['POST', '/books', BOOK],
  ['POST', '/customers', { name: 'Standby', email: 'standby@example.org' }],
  ['POST', '/books-2pc', BOOK],
  ['PUT', '/books/1', BOOK],
  ['GET', '/books/1'],
  ['GET', '/books?limit=100'],
  ['GET', '/customers/1'],
  ['GET', '/customers?limit=100'],
  ['GET', '/health/ready'],
];

/**
 * Starts the whole app a few times on an empty scratch directory, asks it a few things, and stops it. V8 then has read and compiled
 * what a takeover runs, which is most of the time of a start. Ends early when `isWanted` turns false. Never rejects: without a
 * rehearsal a takeover is only slower.
 */
export async function rehearse(start: Start, isWanted: () => boolean): Promise<void> {
  const log = logPort(start.logger);
  try {
    removeRemains();
    for (let times = 0; times < TIMES && isWanted(); times += 1) await once(start, isWanted);
  } catch (error) {
    if (isWanted()) log.warn('the start could not be rehearsed; a takeover will take longer', { error });
  }
}

async function once(start: Start, isWanted: () => boolean): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `bifolio-rehearsal-${String(process.pid)}-`));
  try {
    const stores = await openStores(await lockDirectory(onScratch(start, directory)));
    if (!isWanted()) {
      await stores.close();
      return;
    }
    const app = await serve(stores);
    try {
      if (isWanted()) await ask(app, start);
    } finally {
      await app.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Alone, on any port of this machine: nothing outside the scratch directory is called or changed. */
function onScratch(start: Start, directory: string): Start {
  const { http, storage, replication } = start.config;
  return {
    ...start,
    logger: start.logger.child({}, { level: 'silent' }),
    process: REFUSES_TO_GO_ON,
    config: {
      ...start.config,
      http: { ...http, host: '127.0.0.1', port: 0, requestsPerMinute: undefined },
      storage: { ...storage, dataDirectory: directory, replicasDirectory: directory, seed: 'on', dataCheckEveryMs: 0 },
      replication: { ...replication, nodes: [], localPorts: [], minInSync: 0 },
      redis: undefined,
      faults: { ...start.config.faults, crashSite: undefined },
    },
  };
}

const REFUSES_TO_GO_ON: ProcessControl = {
  stop: (reason, cause) => {
    throw new Error(reason, { cause });
  },
};

async function ask({ url }: RunningServer, { config }: Start): Promise<void> {
  const client = new NodeClient();
  const key = config.http.apiKeys.find(({ role }) => role !== 'read')?.key;
  const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
  try {
    for (const [method, path, json] of REQUESTS) {
      const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
      const call = { method, path, body, isRepeatable: false } as const;
      const type = body && { 'content-type': 'application/json' };
      await client.call(url, { ...call, headers: { ...headers, ...type } }, ANSWER_WITHIN_MS);
    }
  } finally {
    client.close();
  }
}

/** A process that was killed during a rehearsal has left its directory. */
function removeRemains(): void {
  const user = process.getuid?.();
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = SCRATCH.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    if (statSync(path, { throwIfNoEntry: false })?.uid === user) rmSync(path, { recursive: true, force: true });
  }
}
