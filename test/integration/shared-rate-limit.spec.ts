import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RedisQuota } from '../../src/platform/redis/index.js';
import { deriveKey } from '../../src/platform/secrets/index.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReaderProcess } from '../support/reader-process.js';
import { describeOnRedis, type RedisNode } from '../support/redis-cluster.js';

const LIMIT = 300;
const SECRET = 'a secret for tests only';
const SHARED_WITHIN_MS = 30_000;
/** Far above the deadline of a call, and far below the time for which a node is held. */
const HANGS_AFTER_MS = 2_500;
const HELD_FOR_MS = 5_000;
const REFUSED_FOR_MS = 3_000;
/** What is left of a minute when `bothCount` began the window. */
const WINDOW_AT_LEAST_MS = 25_000;

describeOnRedis('a rate limit over an app and a reader', (redis) => {
  let directory: string;
  let app: AppProcess;
  let reader: ReaderProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    const dataDirectory = join(directory, 'data');
    mkdirSync(dataDirectory);
    const settings = {
      ...{ CLUSTER_SECRET: SECRET, RATE_LIMIT: String(LIMIT), LOG_LEVEL: 'warn' },
      ...{ REDIS_CLUSTER_NODES: redis().addresses, REDIS_PASSWORD: redis().password },
    };
    app = await AppProcess.start(dataDirectory, { ...settings, SEED: 'on' });
    reader = await ReaderProcess.start(dataDirectory, settings);
    const master = await redis().masterOf(counter());
    await redis().on(master, (connection) => connection.del(counter()));
  });

  afterEach(async () => {
    await reader.kill();
    await app.kill();
    removeDirectory(directory);
  });

  /** The key in Redis of the only caller here. */
  function counter(): string {
    const asked = { isReady: true, call: () => Promise.reject(new Error('not asked')) };
    return new RedisQuota(asked, () => deriveKey(SECRET, 'quota')).keyOf('from 127.0.0.1');
  }

  async function ask(url: string, init?: RequestInit): Promise<Response> {
    const answer = await fetch(`${url}/books`, init);
    await answer.arrayBuffer();
    return answer;
  }

  /** Asks until refused; how many requests were let through before. */
  async function exhaust(url: string): Promise<number> {
    for (let passed = 0; passed <= LIMIT; passed += 1) {
      const answer = await ask(url);
      if (answer.status !== 429) continue;
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      return passed;
    }
    throw new Error(`more than ${String(LIMIT)} requests were let through`);
  }

  /** Both processes count in Redis: each sees what the other one counted. */
  async function bothCount(): Promise<void> {
    await eventually(
      async () => {
        await ask(app.url);
        const before = await remaining(reader.url);
        const seen = await remaining(app.url);
        expect([before >= 0, seen]).toEqual([true, before - 1]);
      },
      { withinMs: SHARED_WITHIN_MS, everyMs: 300 },
    );
  }

  async function remaining(url: string): Promise<number> {
    const answer = await ask(url);
    return answer.status === 200 ? Number(answer.headers.get('x-ratelimit-remaining')) : -1;
  }

  it('refuses at one process what was used up at the other, and counts a forwarded request once', async () => {
    await bothCount();
    const body = JSON.stringify({ title: 'Kindred', author: 'Octavia E. Butler', price: 1, quantity: 1 });
    const write = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    // A call to Redis that is late on a slow machine is counted by one process alone.
    await eventually(
      async () => {
        const before = await remaining(app.url);
        const added = await ask(reader.url, write);
        expect([added.status, Number(added.headers.get('x-ratelimit-remaining'))]).toEqual([201, before - 1]);
        expect(await remaining(app.url)).toBe(before - 2);
      },
      { withinMs: SHARED_WITHIN_MS, everyMs: 300 },
    );
    await exhaust(app.url);
    // Alone, the reader would let most of its own limit through.
    expect(await exhaust(reader.url)).toBeLessThan(LIMIT / 2);
  });

  const faults: [string, (node: RedisNode) => Promise<() => Promise<void>>][] = [
    [
      'is killed',
      async (node) => {
        await redis().kill(node);
        return async () => {
          await redis().restart(node);
          await redis().waitForLinkUp(node);
        };
      },
    ],
    [
      'is held',
      (node) => {
        redis().stop(node);
        return Promise.resolve(async () => {
          redis().continue(node);
          await redis().waitForLinkUp(node);
        });
      },
    ],
  ];

  it.each(faults)('while the node that counts %s, lets no caller through that was refused before', async (_, begin) => {
    await bothCount();
    const ofWindow = performance.now();
    for (const { url } of [app, reader]) await exhaust(url);
    const heal = await begin(await redis().masterOf(counter()));
    try {
      const statuses = new Set<number>();
      const untilMs = performance.now() + REFUSED_FOR_MS;
      while (performance.now() < untilMs) {
        for (const { url } of [app, reader]) {
          const { status } = await ask(url);
          // On a slow machine the window may end meanwhile.
          if (performance.now() - ofWindow < WINDOW_AT_LEAST_MS) statuses.add(status);
        }
      }
      expect([...statuses].filter((status) => status !== 429)).toEqual([]);
    } finally {
      await heal();
    }
  });

  it.each(faults)(
    'while the node that counts %s, answers at once, never 500, and stays within bounds',
    async (_, begin) => {
      await bothCount();
      const master = await redis().masterOf(counter());
      const successor = await redis().replicaOf(master);
      const heal = await begin(master);
      const passed = { app: 0, reader: 0 };
      const odd: unknown[] = [];
      const durations: number[] = [];
      const untilMs = performance.now() + HELD_FOR_MS;
      const asking = async (name: 'app' | 'reader', url: string): Promise<void> => {
        while (performance.now() < untilMs) {
          const begunMs = performance.now();
          const { status } = await ask(url);
          durations.push(performance.now() - begunMs);
          if (status === 200) passed[name] += 1;
          else if (status !== 429) odd.push([name, status]);
        }
      };
      try {
        await Promise.all([asking('app', app.url), asking('reader', reader.url)]);
        expect(odd).toEqual([]);
        expect(Math.max(...durations)).toBeLessThan(HANGS_AFTER_MS);
        // Each process alone lets no more through than its own limit.
        expect([passed.app <= LIMIT, passed.reader <= LIMIT]).toEqual([true, true]);
        await redis().waitForRoles([[successor, 'master']]);
        await exhaust(app.url);
        // Who was refused stays refused, whichever process is asked and although the count of the dead node may be older.
        await eventually(async () => expect((await ask(reader.url)).status).toBe(429), { withinMs: SHARED_WITHIN_MS });
        expect((await ask(app.url)).status).toBe(429);
      } finally {
        await heal();
      }
    },
  );
});
